"""The moderation service as a process of its own, and the database it keeps its state in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from huiqun.store import Database
from huiqun.testing.rig import Rig
from local.stack import Stack
from tests.processes import ServiceProcess, environment_of


@pytest.fixture
def environment(stack: Stack, topic_prefix: str, database_name: str) -> dict[str, str]:
    """The environment of a process that uses the servers of the session."""
    return environment_of(stack, topic_prefix, database_name)


@pytest_asyncio.fixture
async def state(rig: Rig, database_name: str) -> AsyncIterator[Database]:
    """Moderation's database, dropped afterwards."""
    name = f"{database_name}_moderation"
    yield rig.client[name]
    await rig.client.admin.command({"killAllSessions": []})  # a killed process's transaction would hold up the drop
    await rig.client.drop_database(name)


@pytest.fixture
def moderation(environment: dict[str, str], tmp_path: Path) -> ServiceProcess:
    """The moderation service, not yet started."""
    return ServiceProcess("moderation", tmp_path, environment)
