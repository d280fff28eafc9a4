"""The composition root: connections, slices, and on one screen which event, task and request goes where."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from huiqun.audit import api as audit_api
from huiqun.channel.actions import api as actions_api
from huiqun.channel.actions.following import follow_up_kind
from huiqun.channel.actions.handlers import FOLLOW_UP, RECEIPT_EVENTS, record_receipts
from huiqun.channel.actions.personal_data import ACTION_HOLDINGS
from huiqun.channel.actions.store import ACTION_INDEXES
from huiqun.channel.directory.fold import GROUP_EVENTS, ROSTER_EVENTS
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.contracts.channel import MessageEdited, MessageRecalled, MessageReceived
from huiqun.files.exports.handlers import EXPORT, carry_out_exports
from huiqun.files.exports.store import EXPORT_INDEXES
from huiqun.privacy.erasure import api as person_requests_api
from huiqun.privacy.erasure.handlers import REQUEST_EVENTS, PersonRequests
from huiqun.privacy.erasure.shared import shared_holdings
from huiqun.privacy.links import SignedLinks
from huiqun.service.api import Api, Interface
from huiqun.service.connections import connections, loops
from huiqun.service.parts import run_parts
from huiqun.store import Database, Index, Outside
from huiqun.stream import Route
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.tasks import api as tasks_api
from huiqun.tasks.migrations import MIGRATE, MIGRATION_INDEXES, migration_kind, plan_migrations
from huiqun.tasks.model import Continue, Queue, RetryPolicy, TaskKind
from huiqun.web import Router
from huiqun.work import Task, Work
from moderation.appeals import api as appeals_api
from moderation.appeals.model import appeal_link_maker
from moderation.archive import api as archive_api
from moderation.archive import personal_data as archive_data
from moderation.archive import store as archive
from moderation.archive.handlers import settling
from moderation.archive.handlers.exports import MESSAGES
from moderation.backtest import (
    api as backtest_api,
)
from moderation.backtest import (
    handlers as backtest,
)
from moderation.backtest import (
    personal_data as backtest_data,
)
from moderation.backtest import (
    store as backtests,
)
from moderation.cases import api as cases_api
from moderation.cases.handlers import CASE_OVERDUE, open_unreadable_cases, remind_of_overdue_case
from moderation.cases.personal_data import CASE_HOLDINGS
from moderation.cases.store import CASE_INDEXES
from moderation.casework import api as casework_api
from moderation.decisions import api as decisions_api
from moderation.examples import api as examples_api
from moderation.examples.personal_data import EXAMPLE_HOLDINGS
from moderation.examples.store import EXAMPLE_INDEXES
from moderation.incidents import api as incidents_api
from moderation.incidents import personal_data as incident_data
from moderation.incidents import store as incidents
from moderation.incidents.handlers import delegations, due, modes, scene, watching
from moderation.lexicon import api as lexicon_api
from moderation.lexicon import store as lexicon
from moderation.lexicon.handlers import import_shipped_lists
from moderation.lifecycle import personal_data as lifecycle_data
from moderation.lifecycle import store as lifecycle
from moderation.mediation import api as mediation_api
from moderation.membership import api as membership_api
from moderation.membership import personal_data as membership_data
from moderation.membership import store as membership
from moderation.membership.handlers import greeting, planning
from moderation.membership.handlers.checks import RosterChecks
from moderation.membership.handlers.greeting import Greeting
from moderation.membership.handlers.replies import Replies
from moderation.membership.handlers.roster import Roster
from moderation.migrations import migrations
from moderation.patrols import api as patrols_api
from moderation.patrols.handlers import run_scheduled_patrol
from moderation.patrols.store import PATROL_INDEXES
from moderation.policies import api as policies_api
from moderation.policies import handlers as policies
from moderation.policies import personal_data as policy_data
from moderation.policies import store as policy_store
from moderation.reports import api as reports_api
from moderation.reports.personal_data import REPORTER_HOLDINGS
from moderation.reports.store import REPORTER_INDEXES
from moderation.rulebook.handlers import RulebookKeeper
from moderation.rulebook.model import Rulebook
from moderation.sanctions.handlers import MUTE_ENDS, end_mute
from moderation.sanctions.model import AppealLink
from moderation.screening.handlers import Screening
from moderation.screening.model import MessageEvent, PreparedMessage
from moderation.settings import Settings
from moderation.standings import api as standings_api
from moderation.standings.personal_data import STANDING_HOLDINGS
from moderation.standings.store import STANDING_INDEXES
from moderation.verdicts import api as verdicts_api

SERVICE = "moderation"
DESCRIPTION = "Group rules, screening, sanctions and review."
INDEXES: Mapping[str, Sequence[Index]] = {
    **ACTION_INDEXES,
    **DIRECTORY_INDEXES,
    **EXPORT_INDEXES,
    **archive.INDEXES,
    **backtests.INDEXES,
    **CASE_INDEXES,
    **EXAMPLE_INDEXES,
    **PATROL_INDEXES,
    **REPORTER_INDEXES,
    **incidents.INDEXES,
    **lexicon.INDEXES,
    **lifecycle.INDEXES,
    **membership.INDEXES,
    **MIGRATION_INDEXES,
    **policy_store.INDEXES,
    **STANDING_INDEXES,
}


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (
        *shared_holdings(SERVICE, directory),
        *archive_data.HOLDINGS,
        *CASE_HOLDINGS,
        *EXAMPLE_HOLDINGS,
        *REPORTER_HOLDINGS,
        *ACTION_HOLDINGS,
        *STANDING_HOLDINGS,
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

    async def hear_and_screen(work: Work, events: Sequence[MessageEvent], prepared: Sequence[PreparedMessage]) -> None:
        await replies.hear(work, events)  # first, so that who agrees is heard from this very message on
        await screening.screen(work, events, prepared)

    async def note_unreadable(work: Work, events: Sequence[UnreadableRecord]) -> None:
        await open_unreadable_cases(work, events, rulebook())

    return (
        Route(GROUP_EVENTS, partial(policies.record_groups, directory=directory)),
        Route(ROSTER_EVENTS, roster.record_members),
        Route((MessageReceived, MessageEdited), hear_and_screen, unreadable=note_unreadable, prepare=screening.prepare),
        Route((MessageRecalled,), screening.recall),
        Route(RECEIPT_EVENTS, record_receipts),
        Route(REQUEST_EVENTS, person_requests(directory).record),
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
        MUTE_ENDS: TaskKind(end_mute, SANCTIONS),
        FOLLOW_UP: follow_up_kind(policies.find_superior),
        CASE_OVERDUE: TaskKind(remind_of_overdue_case, CASES),
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
        planning.GO_ROUND: TaskKind(run_scheduled_patrol, PATROLS),
        settling.PLAN_RETENTION: TaskKind(settling.plan_retention, RETENTION),
        settling.PLAN_HOLD: TaskKind(settling.plan_hold, RETENTION),
        settling.SETTLE: TaskKind(settling.settle, RETENTION),
        EXPORT: TaskKind(carry_out_exports([MESSAGES]), EXPORTS),
        # What is wrong with a backtest is wrong the next time; three times its process may have died of it.
        backtests.RUN: TaskKind(
            backtest.carry_out(Outside(database), rulebook), BACKTESTS, RetryPolicy(3, retry_on=())
        ),
        **person_requests(directory).task_kinds(Outside(database)),
        MIGRATE: migration_kind(database, migrations(directory)),
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
    verdicts_api.router,  # /api/v1/lexicon/scan
    archive_api.lookup_router,  # /api/v1/messages/lookup
    archive_api.supervision_router,  # /api/v1/messages/sample and /{message_id}/reviews
    archive_api.messages_router,  # /api/v1/messages
    archive_api.reviews_router,  # /api/v1/message-reviews
    archive_api.holds_router,  # /api/v1/holds
    archive_api.exports_router,  # /api/v1/exports
    actions_api.router,  # /api/v1/actions
    cases_api.router,  # /api/v1/cases
    casework_api.router,  # /api/v1/cases/{case_id}/claim, /release and /comments
    decisions_api.router,  # /api/v1/cases/{case_id}/uphold, /decline, /reverse and /reclassify
    reports_api.router,  # /api/v1/reports
    appeals_api.router,  # /api/v1/appeals/{token}
    examples_api.router,  # /api/v1/examples
    mediation_api.router,  # /api/v1/cases/{case_id}/mediation
    patrols_api.router,  # /api/v1/groups/{group_id}/patrols
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
    async with connections(SERVICE, settings, INDEXES) as connected:
        startup, keeper = connected.startup, RulebookKeeper(connected.database)
        directory = Directory(connected.encryption, connected.suppression)
        startup.add(partial(import_shipped_lists, Outside(connected.database), connected.transactor))
        if "tasks" in roles:
            planning_migrations = partial(plan_migrations, migrations=migrations(directory))
            startup.add(partial(connected.transactor.run, planning_migrations))
            startup.add(partial(connected.transactor.run, watching.start_watching))
        startup.add(keeper.refresh)
        links = SignedLinks(settings.rotating_link_key, settings.public_url)
        handled = routes(keeper.current, directory, settings.rotating_hash_key.current, appeal_link_maker(links))
        kinds = task_kinds(links, connected.database, keeper.current, directory)
        parts = loops(connected, roles, handled, kinds)
        parts.append(keeper)
        offered = interface(settings, keeper.current, links, directory, ROUTERS if "api" in roles else ())
        await run_parts([*startup.before(parts), Api(offered, settings, connected, parts)], stop)


def interface(
    settings: Settings,
    rulebook: Callable[[], Rulebook],
    links: SignedLinks,
    directory: Directory,
    routers: Sequence[Router] = ROUTERS,
) -> Interface:
    """Routes of the service, with what they need."""
    state = {
        "rulebook": rulebook,
        "directory": directory,
        "links": links,
        "four_eyes": settings.four_eyes,
        "hash_key": settings.rotating_hash_key,
    }
    return Interface(service=SERVICE, description=DESCRIPTION, routers=routers, state=state)
