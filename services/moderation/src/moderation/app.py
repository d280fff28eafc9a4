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
from moderation.archive import api as archive_api
from moderation.archive import personal_data as archive_data
from moderation.archive.store import ARCHIVE_INDEXES
from moderation.backtest import api as backtest_api
from moderation.backtest import personal_data as backtest_data
from moderation.backtest.handlers import backtest_effect
from moderation.backtest.model import RUN_BACKTEST
from moderation.backtest.store import BACKTEST_INDEXES
from moderation.cases import api as cases_api
from moderation.cases import personal_data as case_data
from moderation.cases import store as case_store
from moderation.cases.handlers import opening as cases
from moderation.cases.handlers import patrolling
from moderation.cases.handlers.unreadable import open_unreadable
from moderation.cases.model import appeal_link_maker
from moderation.enforcement import handlers as enforcement
from moderation.enforcement.model import AppealLink
from moderation.exports import api as exports_api
from moderation.exports import personal_data as export_data
from moderation.exports.handlers import MESSAGE_EXPORT
from moderation.incidents import api as incidents_api
from moderation.incidents import personal_data as incident_data
from moderation.incidents import store as incidents
from moderation.incidents.handlers import delegations, due, modes, scene, watching
from moderation.lexicon import api as lexicon_api
from moderation.lexicon import store as lexicon
from moderation.lexicon.handlers import import_shipped
from moderation.lifecycle import personal_data as lifecycle_data
from moderation.lifecycle.store import EARLY_CHANGE_INDEXES
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
from moderation.retention import api as retention_api
from moderation.retention import personal_data as retention_data
from moderation.retention.handlers import (
    PLAN_HOLD,
    PLAN_RETENTION,
    UPDATE_EXPIRY,
    plan_hold,
    plan_retention,
    schedule_retention_check,
    update_expiry,
)
from moderation.retention.store import RETENTION_INDEXES
from moderation.rulebook.handlers import RulebookKeeper
from moderation.rulebook.model import Rulebook
from moderation.screening import api as screening_api
from moderation.screening.handlers import MessageReading, Screening
from moderation.settings import Settings
from moderation.standing import api as standings_api
from moderation.standing import personal_data as standing_data
from moderation.standing import store as standings
from moderation.supervision import api as supervision_api
from moderation.supervision import personal_data as supervision_data
from moderation.supervision.store import MESSAGE_REVIEW_INDEXES

SERVICE = "moderation"
DESCRIPTION = "Group rules, screening, sanctions and review."
INDEXES: Mapping[str, Sequence[Index]] = {
    **ACTION_INDEXES,
    **DIRECTORY_INDEXES,
    **EXPORT_INDEXES,
    **ARCHIVE_INDEXES,
    **RETENTION_INDEXES,
    **MESSAGE_REVIEW_INDEXES,
    **BACKTEST_INDEXES,
    **case_store.INDEXES,
    **incidents.INDEXES,
    **lexicon.INDEXES,
    **EARLY_CHANGE_INDEXES,
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
        *supervision_data.HOLDINGS,
        *retention_data.HOLDINGS,
        *export_data.HOLDINGS,
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
        await schedule_retention_check(work, task)
        return await planning.plan_all(work, task)

    async def apply_settings(work: Work, task: Task) -> None:
        await planning.plan_groups(work, task)
        await schedule_retention_check(work, task)

    return {
        enforcement.MUTE_ENDS: TaskKind(enforcement.end_mute, SANCTIONS),
        FOLLOW_UP: follow_up_kind(policies.find_superior),
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
        PLAN_RETENTION: TaskKind(plan_retention, RETENTION),
        PLAN_HOLD: TaskKind(plan_hold, RETENTION),
        UPDATE_EXPIRY: TaskKind(update_expiry, RETENTION),
        EXPORT: TaskKind(carry_out_exports([MESSAGE_EXPORT]), EXPORTS),
        # What is wrong with a backtest is wrong the next time; three times its process may have died of it.
        RUN_BACKTEST: TaskKind(backtest_effect(Outside(database), rulebook), BACKTESTS, RetryPolicy(3, retry_on=())),
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
    screening_api.router,  # /api/v1/lexicon/scan
    supervision_api.router,  # /api/v1/messages/lookup, /sample and /{message_id}/reviews
    supervision_api.reviews_router,  # /api/v1/message-reviews
    archive_api.router,  # /api/v1/messages
    retention_api.router,  # /api/v1/holds
    exports_api.router,  # /api/v1/exports
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
    async with connections(SERVICE, settings, INDEXES) as connected:
        startup, keeper = connected.startup, RulebookKeeper(connected.database)
        directory = Directory(connected.encryption, connected.suppression)
        startup.add(partial(import_shipped, Outside(connected.database), connected.transactor))
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
