"""The composition root: connections, slices, and on one screen which event and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from engagement.audience import api as audience_api
from engagement.audience import store as audience_store
from engagement.audience.handlers import Audience
from engagement.settings import Settings
from huiqun.channel.directory.fold import GROUP_EVENTS, ROSTER_EVENTS
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.contracts.moderation import MessageScreened
from huiqun.service.api import Api, Interface
from huiqun.service.connections import connections, loops
from huiqun.service.parts import run_parts
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.tasks import api as tasks_api
from huiqun.tasks.migrations import MIGRATE, MIGRATION_INDEXES, migration_kind, plan_migrations

SERVICE = "engagement"
DESCRIPTION = "Campaigns, benefits, points and the service desk."
INDEXES: Mapping[str, Sequence[Index]] = {**DIRECTORY_INDEXES, **MIGRATION_INDEXES, **audience_store.INDEXES}


def routes(directory: Directory) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's time zone is known."""
    audience = Audience(directory)
    return (
        Route(GROUP_EVENTS, audience.record_groups),
        Route(ROSTER_EVENTS, audience.record_members),
        Route((MessageScreened,), audience.count_messages),
    )


ROUTERS = (
    audience_api.router,  # /api/v1/groups/{group_id}/activity
    tasks_api.router,  # /api/v1/tasks
)


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with connections(SERVICE, settings, INDEXES) as connected:
        directory = Directory(connected.encryption)
        migrations = [former.migration(directory) for former in audience_store.FORMER_RECORDS]
        connected.startup.add(partial(connected.transactor.run, partial(plan_migrations, migrations=migrations)))
        kinds = {MIGRATE: migration_kind(connected.database, migrations)}
        parts = loops(connected, roles, routes(directory), kinds)
        routers = ROUTERS if "api" in roles else ()
        interface = Interface(service=SERVICE, description=DESCRIPTION, routers=routers)
        api = Api(interface, settings, connected, parts)
        await run_parts([*connected.startup.before(parts), api], stop)
