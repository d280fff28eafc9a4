"""The composition root: connections, slices, and on one screen which event and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence

from huiqun.contracts.channel import GroupDismissed, MemberJoined, MemberLeft, MemberUpdated
from huiqun.contracts.moderation import MessageScreened
from huiqun.service.api import Api, Interface
from huiqun.service.connections import connections, loops
from huiqun.service.parts import run_parts
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.tasks import api as tasks_api
from huiqun.tasks.model import TaskKind
from survey.eligibility import api as eligibility_api
from survey.eligibility import handlers as eligibility
from survey.eligibility import store as eligibility_store
from survey.settings import Settings

SERVICE = "survey"
DESCRIPTION = "Satisfaction waves, forms, results and actions."
INDEXES: Mapping[str, Sequence[Index]] = {**eligibility_store.INDEXES}

ROUTES = (
    Route((GroupDismissed,), eligibility.dismiss_groups),
    Route((MemberJoined, MemberUpdated, MemberLeft), eligibility.record_members),
    Route((MessageScreened,), eligibility.record_messages),
)

TASK_KINDS: Mapping[str, TaskKind] = {}
ROUTERS = (
    eligibility_api.router,  # /api/v1/groups/{group_id}/eligibility
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
