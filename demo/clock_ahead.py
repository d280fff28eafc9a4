"""The clock is put forward: what moderation does by itself as time passes, it does now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from huiqun.channel.actions.following import follow_up_task_kind
from huiqun.channel.actions.handlers import FOLLOW_UP
from huiqun.channel.directory.handlers import Directory
from huiqun.kafka import Publisher
from huiqun.privacy.suppression import SuppressionList
from huiqun.runtime.clock import Clock, SystemClock
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskRunner
from huiqun.work import Transactor
from huiqun.work.transactor import TransactorOptions
from local.system import System
from moderation.cases.handlers import CASE_OVERDUE, remind_of_overdue_case
from moderation.group_policies.handlers import find_superior
from moderation.members.handlers import RosterChecks
from moderation.patrols.handlers import run_scheduled_patrol
from moderation.sanctions.handlers import MUTE_ENDS, end_mute
from moderation.schedules.model import CHECK_ROSTER, PATROL_GROUP, POST_RULES
from moderation.welcome.handlers import post_rules

FOLLOW_UP_KINDS: Final = frozenset({FOLLOW_UP})
ROUTINE_KINDS: Final = frozenset({MUTE_ENDS, CASE_OVERDUE, POST_RULES, CHECK_ROSTER, PATROL_GROUP})
# The service's own.
_KINDS: Final[Mapping[str, TaskKind]] = {
    FOLLOW_UP: follow_up_task_kind(find_superior),
    MUTE_ENDS: TaskKind(end_mute),
    CASE_OVERDUE: TaskKind(remind_of_overdue_case),
    POST_RULES: TaskKind(post_rules),
    PATROL_GROUP: TaskKind(run_scheduled_patrol),
}


@dataclass(frozen=True, slots=True)
class ClockAhead:
    """Tells the time that it will be."""

    by: timedelta
    clock: Clock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        """So much later than now, in UTC."""
        return self.clock.now() + self.by


async def advance_clock(system: System, span: timedelta, kinds: Collection[str]) -> int:
    """Do what moderation will do of these kinds before so much time has passed, oldest first; returns how much."""
    database, publisher = system.database("moderation"), Publisher(system.kafka)
    transactor = Transactor(
        system.client, database, publisher, ClockAhead(span), TransactorOptions(source="huiqun/moderation")
    )
    number = 0
    async with system.encryption("moderation") as encryption:
        checks = RosterChecks(Directory(encryption, SuppressionList(system.environment["HUIQUN_HASH_KEY"].encode())))
        known = {**_KINDS, CHECK_ROSTER: TaskKind(checks.check_roster_on_schedule)}
        runner = TaskRunner(transactor, {kind: known[kind] for kind in kinds})
        try:
            while await runner.run_next():
                number += 1
        finally:
            await publisher.stop()
    return number
