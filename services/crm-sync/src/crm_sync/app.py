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
from huiqun.service.api import Api, Interface
from huiqun.service.connections import connections, loops
from huiqun.service.parts import run_parts
from huiqun.store import Index, Outside
from huiqun.stream import Route
from huiqun.tasks import api as tasks_api
from huiqun.tasks.migrations import MIGRATE, MIGRATION_INDEXES, migration_kind, plan_migrations
from huiqun.web import Router

SERVICE = "crm-sync"
DESCRIPTION = "Customer profiles, two-way with the CRMs."
INDEXES: Mapping[str, Sequence[Index]] = {**DIRECTORY_INDEXES, **MIGRATION_INDEXES, **customer_store.INDEXES}


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (*shared_holdings(SERVICE, directory), *customers_data.HOLDINGS)
    return PersonRequests(SERVICE, holdings, directory, resolve=list_customer_accounts)


def routes(directory: Directory) -> tuple[Route, ...]:
    """Which events go to which use case."""
    customers = Customers(directory)
    return (
        Route(GROUP_EVENTS, customers.record_groups),
        Route(ROSTER_EVENTS, customers.record_members),
        Route((MessageScreened,), customers.record_messages),
        Route(REQUEST_EVENTS, person_requests(directory).record),
    )


ROUTERS = (
    customers_api.router,  # /api/v1/customers
    audit_api.router,  # /api/v1/audit
    person_requests_api.router,  # /api/v1/person-requests
    tasks_api.router,  # /api/v1/tasks
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with connections(SERVICE, settings, INDEXES) as connected:
        directory = Directory(connected.encryption, connected.suppression)
        migrations = [former.migration(directory) for former in customer_store.FORMER_RECORDS]
        connected.startup.add(partial(connected.transactor.run, partial(plan_migrations, migrations=migrations)))
        kinds = {
            **person_requests(directory).task_kinds(Outside(connected.database)),
            MIGRATE: migration_kind(connected.database, migrations),
        }
        parts = loops(connected, roles, routes(directory), kinds)
        api = Api(interface(directory, ROUTERS if "api" in roles else ()), settings, connected, parts)
        await run_parts([*connected.startup.before(parts), api], stop)


def interface(directory: Directory, routers: Sequence[Router] = ROUTERS) -> Interface:
    """Routes of the service, with what they need."""
    return Interface(service=SERVICE, description=DESCRIPTION, routers=routers, state={"directory": directory})
