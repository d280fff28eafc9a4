"""The composition root: connections, slices, and on one screen which event, task and request goes where."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from huiqun.channel.actions.following import follow_up_task_kind
from huiqun.channel.actions.handlers import FOLLOW_UP, RECEIPT_EVENTS, record_receipts
from huiqun.channel.directory.fold import GROUP_EVENTS, ROSTER_EVENTS
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.channel import MessageEdited, MessageRecalled, MessageReceived
from huiqun.files.exports.handlers import EXPORT, export_task_kind
from huiqun.privacy.erasure.handlers import REQUEST_EVENTS
from huiqun.privacy.links import SignedLinks
from huiqun.service.api import HttpComponent
from huiqun.service.components import run_components
from huiqun.service.connections import engine_components, prepare_connections
from huiqun.store import Database, OutsideTransaction
from huiqun.stream import Route
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.tasks.migrations import MIGRATION_TASK, migration_task_kind, schedule_migrations
from huiqun.tasks.model import Continue, Queue, RetryPolicy, TaskKind
from huiqun.work import Task, Work
from moderation.appeals.model import appeal_link_maker
from moderation.backtest.handlers import backtest_effect
from moderation.backtest.model import RUN_BACKTEST
from moderation.cases.handlers import CASE_OVERDUE, open_unreadable_cases, remind_of_overdue_case
from moderation.consent.handlers import record_consent_replies
from moderation.delegations import handlers as delegations
from moderation.documents import INDEXES, SERVICE, person_requests
from moderation.exports.handlers import MESSAGE_EXPORT
from moderation.group_policies.handlers import find_superior
from moderation.groups.handlers import APPLY_SETTINGS, record_groups
from moderation.incident_detection import handlers as incident_detection
from moderation.incident_openings import handlers as incident_openings
from moderation.incident_steps import handlers as incident_steps
from moderation.incidents import handlers as incidents
from moderation.interface import ROUTERS, interface
from moderation.invitations.handlers import REMIND_OF_CONSENT, RENEW_CONSENTS, ConsentRequests
from moderation.lexicon.handlers import import_shipped_lists
from moderation.members.handlers import Roster, RosterChecks
from moderation.migrations import migrations
from moderation.modes import handlers as modes
from moderation.patrols.handlers import run_scheduled_patrol
from moderation.policies.handlers import APPLY_POLICIES
from moderation.retention.handlers import (
    PLAN_HOLD,
    PLAN_RETENTION,
    UPDATE_EXPIRY,
    plan_hold,
    plan_retention,
    schedule_retention_check,
    update_expiry,
)
from moderation.rulebook.handlers import RulebookKeeper
from moderation.rulebook.model import Rulebook
from moderation.sanctions.handlers import MUTE_ENDS, end_mute
from moderation.sanctions.model import AppealLink
from moderation.schedules.model import CHECK_ROSTER, PATROL_GROUP, POST_RULES
from moderation.screening.handlers import Screening
from moderation.screening.model import PreparedMessage
from moderation.settings import Settings
from moderation.welcome.handlers import GREET_NEWCOMERS, Welcome, answer_leaving_questions, post_rules


def routes(
    rulebook: Callable[[], Rulebook], directory: Directory, key: bytes, appeal_link: AppealLink | None = None
) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's settings are known."""
    roster = Roster(rulebook, directory)
    screening = Screening(rulebook, key, appeal_link)

    async def answer_and_screen(
        work: Work, events: Sequence[MessageReceived | MessageEdited], readings: Sequence[PreparedMessage]
    ) -> None:
        in_force = rulebook().policies
        await record_consent_replies(work, events, in_force, directory)  # first: it counts from this message on
        await answer_leaving_questions(work, events, in_force)
        await screening.screen(work, events, readings)

    async def note_unreadable(work: Work, events: Sequence[UnreadableRecord]) -> None:
        await open_unreadable_cases(work, events, rulebook())

    return (
        Route(GROUP_EVENTS, partial(record_groups, directory=directory)),
        Route(ROSTER_EVENTS, roster.record_members),
        Route(
            (MessageReceived, MessageEdited), answer_and_screen, unreadable=note_unreadable, prepare=screening.prepare
        ),
        Route((MessageRecalled,), screening.recall),
        Route(RECEIPT_EVENTS, record_receipts),
        Route(REQUEST_EVENTS, person_requests(directory).record_requests),
    )


# None waits for the tasks of another queue: the end of a mute not for patrols, and these not for an export.
SANCTIONS = Queue("sanctions")
CASES = Queue("cases", 1)
INCIDENTS = Queue("incidents", 1)
MEMBERS = Queue("members", 2)
SETTINGS = Queue("settings", 1)
SCHEDULES = Queue("schedules", 2)
PATROLS = Queue("patrols", 2)
RETENTION = Queue("retention", 1)
EXPORTS = Queue("exports", 1)
BACKTESTS = Queue("backtests", 1)


def task_kinds(
    links: SignedLinks, database: Database, rulebook: Callable[[], Rulebook], directory: Directory
) -> Mapping[str, TaskKind]:
    """What is done later, and in which queue."""
    requests, checks = ConsentRequests(links), RosterChecks(directory)
    welcome = Welcome(requests)

    async def apply_policies(work: Work, task: Task) -> Continue | None:
        await schedule_retention_check(work, task)
        return await welcome.plan_all_groups(work, task)

    async def apply_settings(work: Work, task: Task) -> None:
        await welcome.plan_groups(work, task)
        await schedule_retention_check(work, task)

    return {
        MUTE_ENDS: TaskKind(end_mute, SANCTIONS),
        FOLLOW_UP: follow_up_task_kind(find_superior),
        CASE_OVERDUE: TaskKind(remind_of_overdue_case, CASES),
        incident_steps.REMIND_OF_STEP: TaskKind(incident_steps.remind_of_step, INCIDENTS),
        incident_steps.ESCALATE_STEP: TaskKind(incident_steps.escalate_step, INCIDENTS),
        incidents.END_INCIDENT_MODE: TaskKind(incidents.end_incident_mode, INCIDENTS),
        incident_openings.RUN_DRILL_CUE: TaskKind(incident_openings.run_drill_cue, INCIDENTS),
        modes.END_GROUP_MODE: TaskKind(modes.end_group_mode, INCIDENTS),
        delegations.EXPIRE_DELEGATION: TaskKind(delegations.expire_delegation, INCIDENTS),
        incident_detection.DETECT_INCIDENTS: TaskKind(incident_detection.detect_incidents, INCIDENTS),
        GREET_NEWCOMERS: TaskKind(welcome.greet_newcomers, MEMBERS),
        RENEW_CONSENTS: TaskKind(requests.renew_consents, MEMBERS),
        REMIND_OF_CONSENT: TaskKind(requests.remind_member, MEMBERS),
        APPLY_POLICIES: TaskKind(apply_policies, SETTINGS),
        APPLY_SETTINGS: TaskKind(apply_settings, SETTINGS),
        POST_RULES: TaskKind(post_rules, SCHEDULES),
        CHECK_ROSTER: TaskKind(checks.check_roster_on_schedule, SCHEDULES),
        PATROL_GROUP: TaskKind(run_scheduled_patrol, PATROLS),
        PLAN_RETENTION: TaskKind(plan_retention, RETENTION),
        PLAN_HOLD: TaskKind(plan_hold, RETENTION),
        UPDATE_EXPIRY: TaskKind(update_expiry, RETENTION),
        EXPORT: TaskKind(export_task_kind([MESSAGE_EXPORT]), EXPORTS),
        # What is wrong with a backtest is wrong the next time; three times its process may have died of it.
        RUN_BACKTEST: TaskKind(
            backtest_effect(OutsideTransaction(database), rulebook), BACKTESTS, RetryPolicy(3, retry_on=())
        ),
        **person_requests(directory).task_kinds(OutsideTransaction(database)),
        MIGRATION_TASK: migration_task_kind(database, migrations(directory)),
    }


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with prepare_connections(SERVICE, settings, INDEXES) as connected:
        startup, keeper = connected.startup, RulebookKeeper(connected.database)
        directory = Directory(connected.encryption, connected.suppression)
        startup.add_step(partial(import_shipped_lists, OutsideTransaction(connected.database), connected.transactor))
        if "tasks" in roles:
            planning_migrations = partial(schedule_migrations, migrations=migrations(directory))
            startup.add_step(partial(connected.transactor.run, planning_migrations))
            startup.add_step(partial(connected.transactor.run, incident_detection.schedule_detection))
        startup.add_step(keeper.refresh)
        links = SignedLinks(settings.rotating_link_key, settings.public_url)
        handled = routes(keeper.current, directory, settings.rotating_hash_key.current, appeal_link_maker(links))
        kinds = task_kinds(links, connected.database, keeper.current, directory)
        parts = [*engine_components(connected, roles, handled, kinds), keeper]
        offered = interface(settings, keeper.current, links, directory, ROUTERS if "api" in roles else ())
        await run_components([*startup.followed_by(parts), HttpComponent(offered, settings, connected, parts)], stop)
