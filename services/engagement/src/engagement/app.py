"""The composition root: connections, slices, and on one screen which event and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from engagement.audience import api as audience_api
from engagement.audience import personal_data as audience_data
from engagement.audience import store as audience_store
from engagement.audience.handlers import Audience
from engagement.settings import Settings
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

SERVICE = "engagement"
DESCRIPTION = "Campaigns, benefits, points and the service desk."
INDEXES: Mapping[str, Sequence[Index]] = {**DIRECTORY_INDEXES, **MIGRATION_INDEXES, **audience_store.AUDIENCE_INDEXES}


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (*shared_holdings(SERVICE, directory), *audience_data.AUDIENCE_HOLDINGS)
    return PersonRequests(SERVICE, holdings, directory)


def routes(directory: Directory) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's time zone is known."""
    audience = Audience(directory)
    return (
        Route(GROUP_EVENTS, audience.record_groups),
        Route(ROSTER_EVENTS, audience.record_members),
        Route((MessageScreened,), audience.count_messages),
        Route(REQUEST_EVENTS, person_requests(directory).record_requests),
    )


ROUTERS = (
    audience_api.router,  # /api/v1/groups/{group_id}/activity
    person_requests_api.router,  # /api/v1/person-requests
    tasks_api.router,  # /api/v1/tasks
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with prepare_connections(SERVICE, settings, INDEXES) as connected:
        directory = Directory(connected.encryption, connected.suppression)
        migrations = [former.migration(directory) for former in audience_store.FORMER_RECORDS]
        connected.startup.add_step(
            partial(connected.transactor.run, partial(schedule_migrations, migrations=migrations))
        )
        kinds = {
            **person_requests(directory).task_kinds(OutsideTransaction(connected.database)),
            MIGRATION_TASK: migration_task_kind(connected.database, migrations),
        }
        parts = engine_components(connected, roles, routes(directory), kinds)
        routers = ROUTERS if "api" in roles else ()
        interface = HttpInterface(
            service=SERVICE, description=DESCRIPTION, routers=routers, state={"directory": directory}
        )
        api = HttpComponent(interface, settings, connected, parts)
        await run_components([*connected.startup.followed_by(parts), api], stop)
