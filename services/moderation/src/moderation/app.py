"""The composition root: connections, slices, and on one screen which event, timer and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence
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
    MessageEdited,
    MessageRecalled,
    MessageReceived,
)
from huiqun.runtime.parts import run_parts
from huiqun.runtime.service import Api, Interface, connections, loops
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.stream.retry import until_it_passes
from huiqun.timers import TimerHandler
from moderation.archive import api as archive_api
from moderation.archive import store as archive
from moderation.enforcement import api as actions_api
from moderation.enforcement import handlers as enforcement
from moderation.enforcement import store as actions
from moderation.lexicon import api as lexicon_api
from moderation.lexicon import store as lexicon
from moderation.lexicon.handlers import import_shipped
from moderation.policies import api as policies_api
from moderation.policies import handlers as policies
from moderation.policies import store as policy_store
from moderation.rulebook.handlers import RulebookKeeper
from moderation.screening import api as screening_api
from moderation.screening.handlers import Screening
from moderation.settings import Settings
from moderation.standing import api as standings_api
from moderation.standing import store as standings

SERVICE = "moderation"
DESCRIPTION = "Group rules, screening, sanctions and review."
INDEXES: Mapping[str, Sequence[Index]] = {
    **archive.INDEXES,
    **actions.INDEXES,
    **lexicon.INDEXES,
    **policy_store.INDEXES,
    **standings.INDEXES,
}


def routes(screening: Screening) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's settings are known."""
    return (
        Route((GroupCreated, GroupUpdated, GroupDismissed), policies.record_groups),
        Route((MessageReceived, MessageEdited), screening.screen),
        Route((MessageRecalled,), screening.recall),
        Route(
            (ActionCompleted, ActionFailed, ActionUnsupported, ActionAssigned, ActionExpired),
            enforcement.record_receipts,
        ),
    )


TIMERS: Mapping[str, TimerHandler] = {
    enforcement.MUTE_ENDS: enforcement.end_mute,
    enforcement.FOLLOW_UP: enforcement.follow_up,
}

ROUTERS = (
    policies_api.policies_router,  # /api/v1/policies
    policies_api.groups_router,  # /api/v1/groups
    standings_api.router,  # /api/v1/groups/{group_id}/members/{member_id}/standing
    lexicon_api.router,  # /api/v1/lexicon/lists
    screening_api.router,  # /api/v1/lexicon/scan
    archive_api.router,  # /api/v1/messages
    actions_api.router,  # /api/v1/actions
    audit_api.router,  # /api/v1/audit
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with connections(SERVICE, settings, INDEXES) as connected:
        await until_it_passes(partial(import_shipped, connected.database, connected.transactor), name=SERVICE)
        keeper = RulebookKeeper(connected.database)
        await until_it_passes(keeper.refresh, name=SERVICE)
        parts = loops(connected, roles, routes(Screening(keeper.current)), TIMERS)
        if roles & {"streams", "api"}:
            parts.append(keeper)
        interface = Interface(
            service=SERVICE,
            description=DESCRIPTION,
            routers=ROUTERS if "api" in roles else (),
            state={"rulebook": keeper.current},
        )
        await run_parts([*parts, Api(interface, settings, connected, parts)], stop)
