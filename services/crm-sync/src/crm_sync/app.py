"""The composition root: connections, slices, and on one screen which event and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from crm_sync.customers import api as customers_api
from crm_sync.customers import personal_data as customers_data
from crm_sync.customers import store as customer_store
from crm_sync.customers.handlers import Customers
from crm_sync.customers.store import list_customer_accounts
from crm_sync.settings import Settings
from huiqun.audit import api as audit_api
from huiqun.channel.directory.fold import GROUP_EVENTS, ROSTER_EVENTS
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.contracts.moderation import MessageScreened
from huiqun.privacy.erasure import api as person_requests_api
from huiqun.privacy.erasure.handlers import REQUEST_EVENTS, PersonRequests
from huiqun.privacy.erasure.shared import shared_holdings
from huiqun.service.api import HttpComponent, HttpInterface
from huiqun.service.components import run_components
from huiqun.service.connections import engine_components, prepare_connections
from huiqun.store import Index, OutsideTransaction
from huiqun.stream import Route
from huiqun.tasks import api as tasks_api
from huiqun.tasks.migrations import MIGRATION_INDEXES, MIGRATION_TASK, migration_task_kind, schedule_migrations
from huiqun.web import Router

SERVICE = "crm-sync"
DESCRIPTION = "Customer profiles, two-way with the CRMs."
INDEXES: Mapping[str, Sequence[Index]] = {**DIRECTORY_INDEXES, **MIGRATION_INDEXES, **customer_store.CUSTOMER_INDEXES}


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (*shared_holdings(SERVICE, directory), *customers_data.CUSTOMER_HOLDINGS)
    return PersonRequests(SERVICE, holdings, directory, resolve=list_customer_accounts)


def routes(directory: Directory) -> tuple[Route, ...]:
    """Which events go to which use case."""
    customers = Customers(directory)
    return (
        Route(GROUP_EVENTS, customers.record_groups),
        Route(ROSTER_EVENTS, customers.record_members),
        Route((MessageScreened,), customers.record_messages),
        Route(REQUEST_EVENTS, person_requests(directory).record_requests),
    )


ROUTERS = (
    customers_api.router,  # /api/v1/customers
    audit_api.router,  # /api/v1/audit
    person_requests_api.router,  # /api/v1/person-requests
    tasks_api.router,  # /api/v1/tasks
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with prepare_connections(SERVICE, settings, INDEXES) as connected:
        directory = Directory(connected.encryption, connected.suppression)
        migrations = [former.migration(directory) for former in customer_store.FORMER_RECORDS]
        connected.startup.add_step(
            partial(connected.transactor.run, partial(schedule_migrations, migrations=migrations))
        )
        kinds = {
            **person_requests(directory).task_kinds(OutsideTransaction(connected.database)),
            MIGRATION_TASK: migration_task_kind(connected.database, migrations),
        }
        parts = engine_components(connected, roles, routes(directory), kinds)
        api = HttpComponent(interface(directory, ROUTERS if "api" in roles else ()), settings, connected, parts)
        await run_components([*connected.startup.followed_by(parts), api], stop)


def interface(directory: Directory, routers: Sequence[Router] = ROUTERS) -> HttpInterface:
    """Routes of the service, with what they need."""
    return HttpInterface(service=SERVICE, description=DESCRIPTION, routers=routers, state={"directory": directory})
