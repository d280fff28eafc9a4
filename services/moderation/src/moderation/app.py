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
from moderation.archive.store import ARCHIVE_INDEXES
from moderation.backtest import api as backtest_api
from moderation.backtest import personal_data as backtest_data
from moderation.backtest.handlers import backtest_effect
from moderation.backtest.model import RUN_BACKTEST
from moderation.backtest.store import BACKTEST_INDEXES
from moderation.cases import api as cases_api
from moderation.cases.handlers import CASE_OVERDUE, open_unreadable_cases, remind_of_overdue_case
from moderation.cases.personal_data import CASE_HOLDINGS
from moderation.cases.store import CASE_INDEXES
from moderation.casework import api as casework_api
from moderation.consent import api as consent_api
from moderation.consent.handlers import record_consent_replies
from moderation.consent.personal_data import CONSENT_HOLDINGS
from moderation.consent.store import CONSENT_INDEXES
from moderation.decisions import api as decisions_api
from moderation.delegations import api as delegations_api
from moderation.delegations import handlers as delegations
from moderation.delegations.personal_data import DELEGATION_HOLDINGS
from moderation.delegations.store import DELEGATION_INDEXES
from moderation.examples import api as examples_api
from moderation.examples.personal_data import EXAMPLE_HOLDINGS
from moderation.examples.store import EXAMPLE_INDEXES
from moderation.exports import api as exports_api
from moderation.exports import personal_data as export_data
from moderation.exports.handlers import MESSAGE_EXPORT
from moderation.group_policies import api as group_policies_api
from moderation.group_policies.handlers import find_superior
from moderation.groups import store as groups
from moderation.groups.handlers import APPLY_SETTINGS, record_groups
from moderation.incident_detection import handlers as incident_detection
from moderation.incident_detection.store import PROPOSAL_INDEXES
from moderation.incident_openings import api as incident_openings_api
from moderation.incident_openings import handlers as incident_openings
from moderation.incident_reviews import api as incident_reviews_api
from moderation.incident_steps import api as incident_steps_api
from moderation.incident_steps import handlers as incident_steps
from moderation.incidents import api as incidents_api
from moderation.incidents import handlers as incidents
from moderation.incidents.personal_data import INCIDENT_HOLDINGS
from moderation.incidents.store import INCIDENT_INDEXES
from moderation.invitations.handlers import REMIND_OF_CONSENT, RENEW_CONSENTS, ConsentRequests
from moderation.lexicon import api as lexicon_api
from moderation.lexicon import store as lexicon
from moderation.lexicon.handlers import import_shipped_lists
from moderation.lifecycle import personal_data as lifecycle_data
from moderation.lifecycle.store import EARLY_CHANGE_INDEXES
from moderation.mediation import api as mediation_api
from moderation.members import api as members_api
from moderation.members.handlers import Roster, RosterChecks
from moderation.members.personal_data import MEMBER_HOLDINGS
from moderation.members.store import MEMBER_INDEXES
from moderation.migrations import migrations
from moderation.modes import api as modes_api
from moderation.modes import handlers as modes
from moderation.modes.personal_data import MODE_HOLDINGS
from moderation.modes.store import MODE_INDEXES
from moderation.own_rules import api as own_rules_api
from moderation.own_rules import store as own_rules
from moderation.patrols import api as patrols_api
from moderation.patrols.handlers import run_scheduled_patrol
from moderation.patrols.store import PATROL_INDEXES
from moderation.plans import api as plans_api
from moderation.plans.store import PLAN_INDEXES
from moderation.policies import api as policies_api
from moderation.policies import store as policies
from moderation.policies.handlers import APPLY_POLICIES
from moderation.reports import api as reports_api
from moderation.reports.personal_data import REPORTER_HOLDINGS
from moderation.reports.store import REPORTER_INDEXES
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
from moderation.rule_exceptions import api as rule_exceptions_api
from moderation.rule_exceptions import personal_data as rule_exception_data
from moderation.rule_exceptions import store as rule_exceptions
from moderation.rulebook.handlers import RulebookKeeper
from moderation.rulebook.model import Rulebook
from moderation.sanctions.handlers import MUTE_ENDS, end_mute
from moderation.sanctions.model import AppealLink
from moderation.schedules.model import CHECK_ROSTER, PATROL_GROUP, POST_RULES
from moderation.screening.handlers import Screening
from moderation.screening.model import PreparedMessage
from moderation.settings import Settings
from moderation.staff import api as staff_api
from moderation.staff.personal_data import STAFF_HOLDINGS
from moderation.staff.store import STAFF_INDEXES
from moderation.standings import api as standings_api
from moderation.standings.personal_data import STANDING_HOLDINGS
from moderation.standings.store import STANDING_INDEXES
from moderation.supervision import api as supervision_api
from moderation.supervision import personal_data as supervision_data
from moderation.supervision.store import MESSAGE_REVIEW_INDEXES
from moderation.verdicts import api as verdicts_api
from moderation.welcome import api as welcome_api
from moderation.welcome.handlers import GREET_NEWCOMERS, Welcome, answer_leaving_questions, post_rules
from moderation.welcome.personal_data import WELCOME_HOLDINGS
from moderation.welcome.store import WELCOME_INDEXES

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
    **CASE_INDEXES,
    **EXAMPLE_INDEXES,
    **PATROL_INDEXES,
    **REPORTER_INDEXES,
    **DELEGATION_INDEXES,
    **MODE_INDEXES,
    **PLAN_INDEXES,
    **INCIDENT_INDEXES,
    **PROPOSAL_INDEXES,
    **lexicon.INDEXES,
    **EARLY_CHANGE_INDEXES,
    **CONSENT_INDEXES,
    **WELCOME_INDEXES,
    **STAFF_INDEXES,
    **MEMBER_INDEXES,
    **MIGRATION_INDEXES,
    **groups.INDEXES,
    **own_rules.INDEXES,
    **policies.INDEXES,
    **rule_exceptions.INDEXES,
    **STANDING_INDEXES,
}


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (
        *shared_holdings(SERVICE, directory),
        *archive_data.HOLDINGS,
        *supervision_data.HOLDINGS,
        *retention_data.HOLDINGS,
        *export_data.HOLDINGS,
        *CASE_HOLDINGS,
        *EXAMPLE_HOLDINGS,
        *REPORTER_HOLDINGS,
        *ACTION_HOLDINGS,
        *STANDING_HOLDINGS,
        *CONSENT_HOLDINGS,
        *WELCOME_HOLDINGS,
        *STAFF_HOLDINGS,
        *MEMBER_HOLDINGS,
        *rule_exception_data.HOLDINGS,
        *INCIDENT_HOLDINGS,
        *MODE_HOLDINGS,
        *DELEGATION_HOLDINGS,
        *lifecycle_data.HOLDINGS,
        *backtest_data.HOLDINGS,
    )
    return PersonRequests(SERVICE, holdings, directory)


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
        FOLLOW_UP: follow_up_kind(find_superior),
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
        EXPORT: TaskKind(carry_out_exports([MESSAGE_EXPORT]), EXPORTS),
        # What is wrong with a backtest is wrong the next time; three times its process may have died of it.
        RUN_BACKTEST: TaskKind(backtest_effect(Outside(database), rulebook), BACKTESTS, RetryPolicy(3, retry_on=())),
        **person_requests(directory).task_kinds(Outside(database)),
        MIGRATE: migration_kind(database, migrations(directory)),
    }


ROUTERS = (
    policies_api.router,  # /api/v1/policies
    backtest_api.router,  # /api/v1/policies/{policy_id}/versions/{number}/backtests
    group_policies_api.router,  # /api/v1/groups
    own_rules_api.router,  # /api/v1/groups/{group_id}/policy
    rule_exceptions_api.router,  # /api/v1/exceptions
    members_api.router,  # /api/v1/groups/{group_id}/members
    consent_api.router,  # /api/v1/groups/{group_id}/consents and /rules/{version}
    welcome_api.router,  # /api/v1/groups/{group_id}/rules
    members_api.reports_router,  # /api/v1/groups/{group_id}/roster-reports
    staff_api.router,  # /api/v1/staff
    consent_api.page_router,  # /consent, open to who has a signed link
    standings_api.router,  # /api/v1/groups/{group_id}/members/{member_id}/standing
    lexicon_api.router,  # /api/v1/lexicon/lists
    verdicts_api.router,  # /api/v1/lexicon/scan
    supervision_api.router,  # /api/v1/messages/lookup, /sample and /{message_id}/reviews
    supervision_api.reviews_router,  # /api/v1/message-reviews
    archive_api.router,  # /api/v1/messages
    retention_api.router,  # /api/v1/holds
    exports_api.router,  # /api/v1/exports
    actions_api.router,  # /api/v1/actions
    cases_api.router,  # /api/v1/cases
    casework_api.router,  # /api/v1/cases/{case_id}/claim, /release and /comments
    decisions_api.router,  # /api/v1/cases/{case_id}/uphold, /decline, /reverse and /reclassify
    reports_api.router,  # /api/v1/reports
    appeals_api.router,  # /api/v1/appeals/{token}
    examples_api.router,  # /api/v1/examples
    mediation_api.router,  # /api/v1/cases/{case_id}/mediation
    patrols_api.router,  # /api/v1/groups/{group_id}/patrols
    incidents_api.router,  # /api/v1/incidents
    incident_openings_api.router,  # /api/v1/incidents, to open one
    incident_steps_api.router,  # /api/v1/incidents/{incident_id}/steps
    incident_reviews_api.router,  # /api/v1/incidents/{incident_id}/closure and /report
    plans_api.router,  # /api/v1/incident-plans
    modes_api.router,  # /api/v1/groups/{group_id}/mode
    delegations_api.router,  # /api/v1/delegations
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
            startup.add(partial(connected.transactor.run, incident_detection.schedule_detection))
        startup.add(keeper.refresh)
        links = SignedLinks(settings.rotating_link_key, settings.public_url)
        handled = routes(keeper.current, directory, settings.rotating_hash_key.current, appeal_link_maker(links))
        kinds = task_kinds(links, connected.database, keeper.current, directory)
        parts = [*loops(connected, roles, handled, kinds), keeper]
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
