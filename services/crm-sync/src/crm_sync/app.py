"""The composition root: connections, slices, and on one screen which event and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence

from crm_sync.customers import api as customers_api
from crm_sync.customers import handlers as customers
from crm_sync.customers import store as customer_store
from crm_sync.settings import Settings
from huiqun.audit import api as audit_api
from huiqun.contracts.channel import MemberJoined, MemberLeft, MemberUpdated
from huiqun.contracts.moderation import MessageScreened
from huiqun.service.api import Api, Interface
from huiqun.service.connections import connections, loops
from huiqun.service.parts import run_parts
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.tasks import api as tasks_api
from huiqun.tasks.model import TaskKind

SERVICE = "crm-sync"
DESCRIPTION = "Customer profiles, two-way with the CRMs."
INDEXES: Mapping[str, Sequence[Index]] = {**customer_store.INDEXES}

ROUTES = (
    Route((MemberJoined, MemberUpdated, MemberLeft), customers.record_members),
    Route((MessageScreened,), customers.record_messages),
)

TASK_KINDS: Mapping[str, TaskKind] = {}
ROUTERS = (
    customers_api.router,  # /api/v1/customers
    audit_api.router,  # /api/v1/audit
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
