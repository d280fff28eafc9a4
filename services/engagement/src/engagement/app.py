"""The composition root: connections, slices, and on one screen which event and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence

from engagement.audience import api as audience_api
from engagement.audience import handlers as audience
from engagement.audience import store as audience_store
from engagement.settings import Settings
from huiqun.contracts.channel import GroupCreated, GroupUpdated, MemberJoined, MemberLeft, MemberUpdated
from huiqun.contracts.moderation import MessageScreened
from huiqun.service.api import Api, Interface
from huiqun.service.connections import connections, loops
from huiqun.service.parts import run_parts
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.tasks import api as tasks_api
from huiqun.tasks.model import TaskKind

SERVICE = "engagement"
DESCRIPTION = "Campaigns, benefits, points and the service desk."
INDEXES: Mapping[str, Sequence[Index]] = {**audience_store.INDEXES}

# Groups before messages, so that a new group's time zone is known when its first messages are counted.
ROUTES = (
    Route((GroupCreated, GroupUpdated), audience.record_groups),
    Route((MemberJoined, MemberUpdated, MemberLeft), audience.record_members),
    Route((MessageScreened,), audience.count_messages),
)

TASK_KINDS: Mapping[str, TaskKind] = {}
ROUTERS = (
    audience_api.router,  # /api/v1/groups/{group_id}/activity
    tasks_api.router,  # /api/v1/tasks
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with connections(SERVICE, settings, INDEXES) as connected:
        parts = loops(connected, roles, ROUTES, TASK_KINDS)
        routers = ROUTERS if "api" in roles else ()
        interface = Interface(service=SERVICE, description=DESCRIPTION, routers=routers)
        api = Api(interface, settings, connected, parts)
        await run_parts([*connected.startup.before(parts), api], stop)
