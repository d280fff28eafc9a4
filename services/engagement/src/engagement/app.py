"""The composition root: connections, and on one screen which event and task goes where."""

import asyncio
from collections.abc import Mapping
from functools import partial

from engagement.audience.handlers import Audience
from engagement.documents import INDEXES, SERVICE, migrations, person_requests
from engagement.interface import ROUTERS, interface
from engagement.settings import Settings
from huiqun.channel.directory.fold import GROUP_EVENTS, ROSTER_EVENTS
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.moderation import MessageScreened
from huiqun.privacy.erasure.handlers import REQUEST_EVENTS
from huiqun.service.api import HttpComponent
from huiqun.service.components import run_components
from huiqun.service.connections import engine_components, prepare_connections
from huiqun.store import Database, OutsideTransaction
from huiqun.stream import Route
from huiqun.tasks.migrations import MIGRATION_TASK, migration_task_kind, schedule_migrations
from huiqun.tasks.model import TaskKind


def routes(directory: Directory) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's time zone is known."""
    audience = Audience(directory)
    return (
        Route(GROUP_EVENTS, audience.record_groups),
        Route(ROSTER_EVENTS, audience.record_members),
        Route((MessageScreened,), audience.count_messages),
        Route(REQUEST_EVENTS, person_requests(directory).record_requests),
    )


def task_kinds(database: Database, directory: Directory) -> Mapping[str, TaskKind]:
    """What is done later, and in which queue."""
    return {
        **person_requests(directory).task_kinds(OutsideTransaction(database)),
        MIGRATION_TASK: migration_task_kind(database, migrations(directory)),
    }


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with prepare_connections(SERVICE, settings, INDEXES) as connected:
        directory = Directory(connected.encryption, connected.suppression)
        planning_migrations = partial(schedule_migrations, migrations=migrations(directory))
        connected.startup.add_step(partial(connected.transactor.run, planning_migrations))
        kinds = task_kinds(connected.database, directory)
        parts = engine_components(connected, roles, routes(directory), kinds)
        offered = interface(directory, ROUTERS if "api" in roles else ())
        api = HttpComponent(offered, settings, connected, parts)
        await run_components([*connected.startup.followed_by(parts), api], stop)
