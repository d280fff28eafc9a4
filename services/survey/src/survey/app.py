"""The composition root: connections, slices, and on one screen which event and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence

from huiqun.contracts.channel import GroupDismissed, MemberJoined, MemberLeft, MemberUpdated
from huiqun.contracts.moderation import MessageScreened
from huiqun.runtime.parts import run_parts
from huiqun.runtime.service import connections, loops
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.timers import TimerHandler
from survey.eligibility import handlers as eligibility
from survey.eligibility import store as eligibility_store
from survey.settings import Settings

SERVICE = "survey"
INDEXES: Mapping[str, Sequence[Index]] = {**eligibility_store.INDEXES}

ROUTES = (
    Route((GroupDismissed,), eligibility.dismiss_groups),
    Route((MemberJoined, MemberUpdated, MemberLeft), eligibility.record_members),
    Route((MessageScreened,), eligibility.record_messages),
)

TIMERS: Mapping[str, TimerHandler] = {}


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with connections(SERVICE, settings, INDEXES) as connected:
        await run_parts(loops(connected, roles, ROUTES, TIMERS), stop)
