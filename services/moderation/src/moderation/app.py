"""The composition root: connections, slices, and on one screen which event, timer and request goes where."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from huiqun.audit import api as audit_api
from huiqun.contracts.channel import (
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionUnsupported,
    GroupCreated,
    GroupDismissed,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
)
from huiqun.runtime.parts import run_parts
from huiqun.runtime.service import Api, Interface, connections, loops
from huiqun.store import Index
from huiqun.stream import Route, Work
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.timers import Timer, TimerHandler
from huiqun.web import Router
from moderation.archive import api as archive_api
from moderation.archive import store as archive
from moderation.archive.handlers import exports, settling
from moderation.backtest import api as backtest_api
from moderation.backtest import store as backtests
from moderation.backtest.handlers import BacktestRunner
from moderation.cases import api as cases_api
from moderation.cases import store as case_store
from moderation.cases.handlers import opening as cases
from moderation.cases.handlers import patrolling
from moderation.cases.handlers.unreadable import open_unreadable
from moderation.enforcement import api as actions_api
from moderation.enforcement import handlers as enforcement
from moderation.enforcement import store as actions
from moderation.enforcement.model import AppealLink
from moderation.incidents import api as incidents_api
from moderation.incidents import store as incidents
from moderation.incidents.handlers import delegations, due, modes, scene, watching
from moderation.lexicon import api as lexicon_api
from moderation.lexicon import store as lexicon
from moderation.lexicon.handlers import import_shipped
from moderation.lifecycle import store as lifecycle
from moderation.membership import api as membership_api
from moderation.membership import store as membership
from moderation.membership.handlers import checks, greeting, planning
from moderation.membership.handlers.greeting import Greeting
from moderation.membership.handlers.replies import Replies
from moderation.membership.handlers.roster import Roster
from moderation.membership.model.links import Links
from moderation.policies import api as policies_api
from moderation.policies import handlers as policies
from moderation.policies import store as policy_store
from moderation.rulebook.handlers import RulebookKeeper
from moderation.rulebook.model import Rulebook
from moderation.screening import api as screening_api
from moderation.screening.handlers import MessageReading, Screening
from moderation.settings import Settings
from moderation.signed import SignedLinks, hash_key, signed_links
from moderation.standing import api as standings_api
from moderation.standing import store as standings

SERVICE = "moderation"
DESCRIPTION = "Group rules, screening, sanctions and review."
INDEXES: Mapping[str, Sequence[Index]] = {
    **archive.INDEXES,
    **actions.INDEXES,
    **backtests.INDEXES,
    **case_store.INDEXES,
    **incidents.INDEXES,
    **lexicon.INDEXES,
    **lifecycle.INDEXES,
    **membership.INDEXES,
    **policy_store.INDEXES,
    **standings.INDEXES,
}


def routes(rulebook: Callable[[], Rulebook], key: bytes, appeal_link: AppealLink | None = None) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's settings are known."""
    roster, replies = Roster(rulebook), Replies(rulebook)
    screening = Screening(rulebook, key, appeal_link)

    async def hear_and_screen(
        events: Sequence[MessageReceived | MessageEdited], work: Work, readings: Sequence[MessageReading]
    ) -> None:
        await replies.hear(events, work)  # first, so that who agrees is heard from this very message on
        await screening.screen(events, work, readings)

    async def note_unreadable(events: Sequence[UnreadableRecord], work: Work) -> None:
        await open_unreadable(events, work, rulebook())

    return (
        Route((GroupCreated, GroupUpdated, GroupDismissed), policies.record_groups),
        Route((MemberJoined, MemberLeft, MemberUpdated), roster.record_members),
        Route((MessageReceived, MessageEdited), hear_and_screen, unreadable=note_unreadable, prepare=screening.read),
        Route((MessageRecalled,), screening.recall),
        Route(
            (ActionCompleted, ActionFailed, ActionUnsupported, ActionAssigned, ActionExpired),
            enforcement.record_receipts,
        ),
    )


def timers(links: Links) -> Mapping[str, TimerHandler]:
    """What is done when a time has come."""
    greeter = Greeting(links)

    async def on_policies(timer: Timer, work: Work) -> None:
        await planning.plan_all(timer, work)
        await settling.note_change(timer, work)

    async def on_groups(timer: Timer, work: Work) -> None:
        await planning.plan_groups(timer, work)
        await settling.note_change(timer, work)

    return {
        enforcement.MUTE_ENDS: enforcement.end_mute,
        enforcement.FOLLOW_UP: enforcement.follow_up,
        policies.POLICIES_CHANGED: on_policies,
        policies.GROUPS_CHANGED: on_groups,
        planning.POST_RULES: planning.post_rules,
        planning.CHECK_ROSTER: checks.check_on_schedule,
        planning.GO_ROUND: patrolling.go_on_schedule,
        greeting.WELCOME: greeter.greet,
        greeting.RENEW: greeter.renew,
        greeting.REMIND: greeter.remind,
        cases.OVERDUE: cases.remind,
        scene.REMIND: due.remind,
        scene.ESCALATE: due.escalate,
        scene.MODE_ENDS: due.end_mode,
        scene.CUE: due.play_cue,
        modes.BY_HAND_ENDS: modes.end_by_hand,
        delegations.DELEGATION_ENDS: delegations.end_delegation,
        watching.WATCH: watching.watch,
        settling.PLAN_RETENTION: settling.plan_retention,
        settling.PLAN_HOLD: settling.plan_hold,
        settling.SETTLE: settling.settle,
        exports.EXPORT: exports.carry_out,
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
    audit_api.router,  # /api/v1/audit
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with connections(SERVICE, settings, INDEXES) as connected:
        startup, keeper = connected.startup, RulebookKeeper(connected.database)
        startup.add(partial(import_shipped, connected.database, connected.transactor))
        if "timers" in roles:
            startup.add(partial(connected.transactor.run, watching.start_watching))
        startup.add(keeper.refresh)
        signed = signed_links(settings)
        handled = routes(keeper.current, hash_key(settings), signed.appeals.maker)
        parts = loops(connected, roles, handled, timers(signed.consents))
        if "timers" in roles:
            parts.append(BacktestRunner(connected.database, keeper.current, connected.clock))
        parts.append(keeper)
        offered = interface(settings, keeper.current, signed, ROUTERS if "api" in roles else ())
        await run_parts([*startup.before(parts), Api(offered, settings, connected, parts)], stop)


def interface(
    settings: Settings, rulebook: Callable[[], Rulebook], signed: SignedLinks, routers: Sequence[Router] = ROUTERS
) -> Interface:
    """Routes of the service, with what they need."""
    state = {
        "rulebook": rulebook,
        "links": signed.consents,
        "appeal_links": signed.appeals,
        "four_eyes": settings.four_eyes,
        "hash_key": hash_key(settings),
    }
    return Interface(service=SERVICE, description=DESCRIPTION, routers=routers, state=state)
