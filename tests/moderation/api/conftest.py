"""The interface of moderation over real HTTP, one for all of these tests: each uses ids of its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr

from huiqun.channel.directory.handlers import Directory
from huiqun.privacy.links import SignedLinks
from huiqun.runtime.ids import new_id
from huiqun.service.api import Api
from huiqun.service.connections import Connections, connections
from huiqun.store import Outside
from huiqun.web import Role, create_api_key
from local.ports import free_port
from local.stack import Stack
from moderation import app
from moderation.app import INDEXES, SERVICE
from moderation.lexicon.handlers import import_shipped
from moderation.rulebook.handlers import RulebookKeeper
from moderation.settings import Settings
from tests.spine import running

HASH_KEY = b"a key of these tests"


@dataclass
class Interface:
    """A served interface; `keeper` keeps the rulebook that its trials use."""

    connected: Connections
    app: FastAPI
    keeper: RulebookKeeper
    http: httpx.AsyncClient
    directory: Directory
    keys: dict[Role, str] = field(default_factory=dict)

    async def key(self, role: Role) -> str:
        """An API key with this role."""
        if role not in self.keys:
            self.keys[role] = await create_api_key(Outside(self.connected.database), role, [role])
        return self.keys[role]

    async def ask(self, method: str, path: str, role: Role | None = "moderator", **options: Any) -> httpx.Response:
        """Send a request below /api/v1 as somebody with this role; a write gets an Idempotency-Key of its own."""
        headers = {"Idempotency-Key": new_id(), **options.pop("headers", {})}
        if role is not None:
            headers["X-API-Key"] = await self.key(role)
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **options)

    async def audited(self, subject: str) -> list[str]:
        """The actions that the audit log has of a subject, oldest first."""
        cursor = self.connected.database["audit_log"].find({"subject": subject}).sort("_id", 1)
        return [entry["action"] async for entry in cursor]


@pytest_asyncio.fixture(scope="session")
async def interface(session_stack: Stack) -> AsyncIterator[Interface]:
    """The interface that these tests share."""
    async with serve_interface(session_stack) as served:
        yield served


@pytest_asyncio.fixture
async def own_interface(session_stack: Stack) -> AsyncIterator[Interface]:
    """An interface with a database that nobody else has written to."""
    async with serve_interface(session_stack) as served:
        yield served


@asynccontextmanager
async def serve_interface(stack: Stack) -> AsyncIterator[Interface]:
    """Serve all routes of moderation with a database of their own, dropped at the end."""
    settings = Settings(
        mongo_url=stack.mongo_url,
        database_prefix=f"test_{uuid.uuid4().hex[:12]}_",
        kafka_bootstrap=stack.bootstrap,
        kafka_idempotent=stack.broker.producer_ids,
        api_port=free_port(),
        hash_key=SecretStr(HASH_KEY.decode()),
        link_key=SecretStr("a third key of these tests"),
        encryption_key=SecretStr("another key of these tests"),
        four_eyes=True,
    )
    async with connections(SERVICE, settings, INDEXES) as connected:
        keeper = RulebookKeeper(connected.database)
        connected.startup.add(partial(import_shipped, Outside(connected.database), connected.transactor))
        connected.startup.add(keeper.refresh)
        await connected.startup.complete()
        directory = Directory(connected.encryption, connected.suppression)
        links = SignedLinks(settings.rotating_link_key, settings.public_url)
        offered = app.interface(settings, keeper.current, links, directory)
        api = Api(offered, settings, connected, [keeper])
        transport = httpx.AsyncHTTPTransport(retries=5)  # until the server listens
        url = f"http://127.0.0.1:{settings.api_port}"
        async with (
            running(keeper),
            running(api),
            httpx.AsyncClient(base_url=url, transport=transport, timeout=30) as http,
        ):
            yield Interface(connected, api.app, keeper, http, directory)
        await connected.client.drop_database(connected.database.name)


def kind_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and kind of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def together(*requests: Any) -> list[httpx.Response]:
    """Send requests at the same time."""
    return list(await asyncio.gather(*requests))
