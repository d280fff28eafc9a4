"""The clock is put forward: what moderation does by itself as time passes, it does now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from huiqun.runtime.clock import Clock, SystemClock
from huiqun.stream import Publisher, Transactor, Work
from huiqun.timers import Timer, TimerHandler
from huiqun.timers.store import TIMERS
from local.system import System
from moderation.cases.handlers import opening, patrolling
from moderation.enforcement import handlers as enforcement
from moderation.membership.handlers import checks, planning

TASKS: Final = frozenset({enforcement.FOLLOW_UP})
ROUTINE: Final = frozenset(
    {enforcement.MUTE_ENDS, opening.OVERDUE, planning.POST_RULES, planning.CHECK_ROSTER, planning.GO_ROUND}
)
# The service's own.
_HANDLERS: Final[Mapping[str, TimerHandler]] = {
    enforcement.FOLLOW_UP: enforcement.follow_up,
    enforcement.MUTE_ENDS: enforcement.end_mute,
    opening.OVERDUE: opening.remind,
    planning.POST_RULES: planning.post_rules,
    planning.CHECK_ROSTER: checks.check_on_schedule,
    planning.GO_ROUND: patrolling.go_on_schedule,
}


@dataclass(frozen=True, slots=True)
class ClockAhead:
    """Tells the time that it will be."""

    by: timedelta
    clock: Clock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        """So much later than now, in UTC."""
        return self.clock.now() + self.by


async def let_pass(system: System, span: timedelta, kinds: Collection[str]) -> int:
    """Do what moderation will do of these kinds before so much time has passed, oldest first; returns how much."""
    database, publisher = system.database("moderation"), Publisher(system.kafka)
    transactor = Transactor(system.client, database, publisher, ClockAhead(span))
    query = {"kind": {"$in": list(kinds)}, "due": {"$lte": transactor.clock.now()}, "state": "waiting"}
    try:
        due = await database[TIMERS].find(query).sort("due", 1).to_list(None)
        for document in due:
            await transactor.run(partial(_fire, document))
    finally:
        await publisher.stop()
    return len(due)


async def _fire(document: Mapping[str, Any], work: Work) -> None:
    """Run a timer, unless the service has been quicker."""
    taken = await work.db[TIMERS].delete_one({"_id": document["_id"], "due": document["due"]}, session=work.session)
    if taken.deleted_count:
        timer = Timer(document["_id"], document["kind"], document["due"], document["payload"])
        await _HANDLERS[timer.kind](timer, work)
