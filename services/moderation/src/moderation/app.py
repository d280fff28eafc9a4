"""The composition root: connections, slices, and on one screen which event, task and request goes where."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from huiqun.audit import api as audit_api
from huiqun.channel.actions import api as actions_api
from huiqun.channel.actions.following import follow_up_task_kind
from huiqun.channel.actions.handlers import FOLLOW_UP, RECEIPT_EVENTS, record_receipts
from huiqun.channel.actions.personal_data import ACTION_HOLDINGS
from huiqun.channel.actions.store import ACTION_INDEXES
from huiqun.channel.directory.fold import GROUP_EVENTS, ROSTER_EVENTS
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.contracts.channel import MessageEdited, MessageRecalled, MessageReceived
from huiqun.files.exports.handlers import EXPORT, export_task_kind
from huiqun.files.exports.store import EXPORT_INDEXES
from huiqun.privacy.erasure import api as person_requests_api
from huiqun.privacy.erasure.handlers import REQUEST_EVENTS, PersonRequests
from huiqun.privacy.erasure.shared import shared_holdings
from huiqun.privacy.links import SignedLinks
from huiqun.service.api import HttpComponent, HttpInterface
from huiqun.service.components import run_components
from huiqun.service.connections import engine_components, prepare_connections
from huiqun.store import Database, Index, OutsideTransaction
from huiqun.stream import Route
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.tasks import api as tasks_api
from huiqun.tasks.migrations import MIGRATION_INDEXES, MIGRATION_TASK, migration_task_kind, schedule_migrations
from huiqun.tasks.model import Continue, Queue, RetryPolicy, TaskKind
from huiqun.web import Router
from huiqun.work import Task, Work
from moderation.archive import api as archive_api
from moderation.archive import personal_data as archive_data
from moderation.archive import store as archive
from moderation.archive.handlers import settling
from moderation.archive.handlers.exports import MESSAGES
from moderation.backtest import api as backtest_api
from moderation.backtest import handlers as backtest
from moderation.backtest import personal_data as backtest_data
from moderation.backtest import store as backtests
from moderation.cases import api as cases_api
from moderation.cases import personal_data as case_data
from moderation.cases import store as case_store
from moderation.cases.handlers import opening as cases
from moderation.cases.handlers import patrolling
from moderation.cases.handlers.unreadable import open_unreadable
from moderation.cases.model import appeal_link_maker
from moderation.enforcement import handlers as enforcement
from moderation.enforcement.model import AppealLink
from moderation.incidents import api as incidents_api
from moderation.incidents import personal_data as incident_data
from moderation.incidents import store as incidents
from moderation.incidents.handlers import delegations, due, modes, scene, watching
from moderation.lexicon import api as lexicon_api
from moderation.lexicon import store as lexicon
from moderation.lexicon.handlers import import_shipped
from moderation.lifecycle import personal_data as lifecycle_data
from moderation.lifecycle import store as lifecycle
from moderation.membership import api as membership_api
from moderation.membership import personal_data as membership_data
from moderation.membership import store as membership
from moderation.membership.handlers import greeting, planning
from moderation.membership.handlers.checks import RosterChecks
from moderation.membership.handlers.greeting import Greeting
from moderation.membership.handlers.replies import Replies
from moderation.membership.handlers.roster import Roster
from moderation.migrations import migrations
from moderation.policies import api as policies_api
from moderation.policies import handlers as policies
from moderation.policies import personal_data as policy_data
from moderation.policies import store as policy_store
from moderation.rulebook.handlers import RulebookKeeper
from moderation.rulebook.model import Rulebook
from moderation.screening import api as screening_api
from moderation.screening.handlers import MessageReading, Screening
from moderation.settings import Settings
from moderation.standing import api as standings_api
from moderation.standing import personal_data as standing_data
from moderation.standing import store as standings

SERVICE = "moderation"
DESCRIPTION = "Group rules, screening, sanctions and review."
INDEXES: Mapping[str, Sequence[Index]] = {
    **ACTION_INDEXES,
    **DIRECTORY_INDEXES,
    **EXPORT_INDEXES,
    **archive.INDEXES,
    **backtests.INDEXES,
    **case_store.INDEXES,
    **incidents.INDEXES,
    **lexicon.INDEXES,
    **lifecycle.INDEXES,
    **membership.INDEXES,
    **MIGRATION_INDEXES,
    **policy_store.INDEXES,
    **standings.INDEXES,
}


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (
        *shared_holdings(SERVICE, directory),
        *archive_data.HOLDINGS,
        *case_data.HOLDINGS,
        *ACTION_HOLDINGS,
        *standing_data.HOLDINGS,
        *membership_data.HOLDINGS,
        *policy_data.HOLDINGS,
        *incident_data.HOLDINGS,
        *lifecycle_data.HOLDINGS,
        *backtest_data.HOLDINGS,
    )
    return PersonRequests(SERVICE, holdings, directory)


def routes(
    rulebook: Callable[[], Rulebook], directory: Directory, key: bytes, appeal_link: AppealLink | None = None
) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's settings are known."""
    roster, replies = Roster(rulebook, directory), Replies(rulebook, directory)
    screening = Screening(rulebook, key, appeal_link)

    async def hear_and_screen(
        work: Work, events: Sequence[MessageReceived | MessageEdited], readings: Sequence[MessageReading]
    ) -> None:
        await replies.hear(work, events)  # first, so that who agrees is heard from this very message on
        await screening.screen(work, events, readings)

    async def note_unreadable(work: Work, events: Sequence[UnreadableRecord]) -> None:
        await open_unreadable(work, events, rulebook())

    return (
        Route(GROUP_EVENTS, partial(policies.record_groups, directory=directory)),
        Route(ROSTER_EVENTS, roster.record_members),
        Route((MessageReceived, MessageEdited), hear_and_screen, unreadable=note_unreadable, prepare=screening.read),
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
    greeter, checks = Greeting(links), RosterChecks(directory)

    async def apply_policies(work: Work, task: Task) -> Continue | None:
        await settling.note_change(work, task)
        return await planning.plan_all(work, task)

    async def apply_settings(work: Work, task: Task) -> None:
        await planning.plan_groups(work, task)
        await settling.note_change(work, task)

    return {
        enforcement.MUTE_ENDS: TaskKind(enforcement.end_mute, SANCTIONS),
        FOLLOW_UP: follow_up_task_kind(policies.find_superior),
        cases.OVERDUE: TaskKind(cases.remind, CASES),
        scene.REMIND: TaskKind(due.remind, INCIDENTS),
        scene.ESCALATE: TaskKind(due.escalate, INCIDENTS),
        scene.MODE_ENDS: TaskKind(due.end_mode, INCIDENTS),
        scene.CUE: TaskKind(due.play_cue, INCIDENTS),
        modes.BY_HAND_ENDS: TaskKind(modes.end_by_hand, INCIDENTS),
        delegations.DELEGATION_ENDS: TaskKind(delegations.end_delegation, INCIDENTS),
        watching.WATCH: TaskKind(watching.watch, INCIDENTS),
        greeting.WELCOME: TaskKind(greeter.greet, MEMBERS),
        greeting.RENEW: TaskKind(greeter.renew, MEMBERS),
        greeting.REMIND: TaskKind(greeter.remind, MEMBERS),
        policies.APPLY_POLICIES: TaskKind(apply_policies, SETTINGS),
        policies.APPLY_SETTINGS: TaskKind(apply_settings, SETTINGS),
        planning.POST_RULES: TaskKind(planning.post_rules, SCHEDULES),
        planning.CHECK_ROSTER: TaskKind(checks.check_on_schedule, SCHEDULES),
        planning.GO_ROUND: TaskKind(patrolling.go_on_schedule, PATROLS),
        settling.PLAN_RETENTION: TaskKind(settling.plan_retention, RETENTION),
        settling.PLAN_HOLD: TaskKind(settling.plan_hold, RETENTION),
        settling.SETTLE: TaskKind(settling.settle, RETENTION),
        EXPORT: TaskKind(export_task_kind([MESSAGES]), EXPORTS),
        # What is wrong with a backtest is wrong the next time; three times its process may have died of it.
        backtests.RUN: TaskKind(
            backtest.carry_out(OutsideTransaction(database), rulebook), BACKTESTS, RetryPolicy(3, retry_on=())
        ),
        **person_requests(directory).task_kinds(OutsideTransaction(database)),
        MIGRATION_TASK: migration_task_kind(database, migrations(directory)),
    }


ROUTERS = (
    policies_api.policies_router,  # /api/v1/policies
    backtest_api.router,  # /api/v1/policies/{policy_id}/versions/{number}/backtests
    policies_api.groups_router,  # /api/v1/groups
    policies_api.group_policy_router,  # /api/v1/groups/{group_id}/policy
    policies_api.exceptions_router,  # /api/v1/exceptions
    membership_api.members_router,  # /api/v1/groups/{group_id}/members, /consents and /rules
    membership_api.reports_router,  # /api/v1/groups/{group_id}/roster-reports
    membership_api.staff_router,  # /api/v1/staff
    membership_api.page_router,  # /consent, open to who has a signed link
    standings_api.router,  # /api/v1/groups/{group_id}/members/{member_id}/standing
    lexicon_api.router,  # /api/v1/lexicon/lists
    screening_api.router,  # /api/v1/lexicon/scan
    archive_api.lookup_router,  # /api/v1/messages/lookup
    archive_api.supervision_router,  # /api/v1/messages/sample and /{message_id}/reviews
    archive_api.messages_router,  # /api/v1/messages
    archive_api.reviews_router,  # /api/v1/message-reviews
    archive_api.holds_router,  # /api/v1/holds
    archive_api.exports_router,  # /api/v1/exports
    actions_api.router,  # /api/v1/actions
    cases_api.cases_router,  # /api/v1/cases
    cases_api.reports_router,  # /api/v1/reports
    cases_api.appeals_router,  # /api/v1/appeals/{token}
    cases_api.examples_router,  # /api/v1/examples
    cases_api.mediation_router,  # /api/v1/cases/{case_id}/mediation
    cases_api.patrols_router,  # /api/v1/groups/{group_id}/patrols
    incidents_api.incidents_router,  # /api/v1/incidents
    incidents_api.plans_router,  # /api/v1/incident-plans
    incidents_api.modes_router,  # /api/v1/groups/{group_id}/mode
    incidents_api.delegations_router,  # /api/v1/delegations
    person_requests_api.router,  # /api/v1/person-requests
    audit_api.router,  # /api/v1/audit
    tasks_api.router,  # /api/v1/tasks
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with prepare_connections(SERVICE, settings, INDEXES) as connected:
        startup, keeper = connected.startup, RulebookKeeper(connected.database)
        directory = Directory(connected.encryption, connected.suppression)
        startup.add_step(partial(import_shipped, OutsideTransaction(connected.database), connected.transactor))
        if "tasks" in roles:
            planning_migrations = partial(schedule_migrations, migrations=migrations(directory))
            startup.add_step(partial(connected.transactor.run, planning_migrations))
            startup.add_step(partial(connected.transactor.run, watching.start_watching))
        startup.add_step(keeper.refresh)
        links = SignedLinks(settings.rotating_link_key, settings.public_url)
        handled = routes(keeper.current, directory, settings.rotating_hash_key.current, appeal_link_maker(links))
        kinds = task_kinds(links, connected.database, keeper.current, directory)
        parts = engine_components(connected, roles, handled, kinds)
        parts.append(keeper)
        offered = interface(settings, keeper.current, links, directory, ROUTERS if "api" in roles else ())
        await run_components([*startup.followed_by(parts), HttpComponent(offered, settings, connected, parts)], stop)


def interface(
    settings: Settings,
    rulebook: Callable[[], Rulebook],
    links: SignedLinks,
    directory: Directory,
    routers: Sequence[Router] = ROUTERS,
) -> HttpInterface:
    """Routes of the service, with what they need."""
    state = {
        "rulebook": rulebook,
        "directory": directory,
        "links": links,
        "four_eyes": settings.four_eyes,
        "hash_key": settings.rotating_hash_key,
    }
    return HttpInterface(service=SERVICE, description=DESCRIPTION, routers=routers, state=state)
