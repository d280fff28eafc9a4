"""Moderation's screening, incidents and tasks over a real database, with a clock that the test sets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI

from huiqun.audit import AUDIT_INDEXES
from huiqun.contracts.catalog import decode
from huiqun.contracts.channel import (
    Action,
    ActionCompleted,
    ActionRequested,
    Capabilities,
    Group,
    GroupCreated,
    Message,
    MessageReceived,
    Receipt,
    Role,
    Sender,
    Support,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened
from huiqun.contracts.topics import TOPICS
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.store import Database, Outside, connect, ensure_indexes
from huiqun.stream.routes import RoutingTable
from huiqun.tasks.runner import TaskRunner
from huiqun.tasks.store import TASK_INDEXES
from huiqun.web import WEB_INDEXES, AppOptions, create_api_key, create_app
from huiqun.web.principals import Principal
from huiqun.web.principals import Role as Credential
from huiqun.work import WORK_INDEXES, Transactor, outbox
from moderation.app import INDEXES, ROUTERS, routes, task_kinds
from moderation.membership.model.links import Links
from moderation.rulebook.handlers import RulebookKeeper
from tests.directories import open_directory
from tests.due import next_due
from tests.inlet import Inlet

_NATIVE = Capabilities(send=Support.NATIVE, delete=Support.NATIVE, mute=Support.NATIVE, remove=Support.NATIVE)
_TOPICS = {topic.name: topic for topic in TOPICS}
MODERATOR = Principal("moderator", "moderator", frozenset({"moderator"}))


@dataclass
class SetClock:
    """Starts at the present and moves when it is told to."""

    moment: datetime = field(default_factory=lambda: SystemClock().now())

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class Desk:
    """Where a test works: it sends messages, asks the interface, lets time pass, and reads what left.

    Its channel does at once what it is asked for.
    """

    database: Database
    transactor: Transactor
    clock: SetClock
    inlet: Inlet
    keeper: RulebookKeeper
    app: FastAPI
    answered: set[str] = field(default_factory=set)

    def now(self) -> datetime:
        return self.clock.now()

    async def pass_minutes(self, minutes: float) -> None:
        """Move the clock, and run what has become due in its order, each at its own time."""
        until = self.clock.moment + timedelta(minutes=minutes)
        links = Links.under("a key for tests", None)
        runner = TaskRunner(
            self.transactor, task_kinds(links, self.database, self.keeper.current, self.inlet.directory)
        )
        await self._answer()
        while (due := await next_due(self.transactor, until)) is not None:
            self.clock.moment = max(due, self.clock.moment)
            assert await runner.run_next()
            await self._answer()
        self.clock.moment = until
        assert await self.database["tasks"].find_one({"error": {"$exists": True}}) is None

    async def _answer(self) -> None:
        """The channel has done what it was asked for."""
        fresh = [action for action in await self.asked() if action.action_id not in self.answered]
        if fresh:
            receipts = [Receipt(action_id=action.action_id, group_id=action.group_id) for action in fresh]
            done = [
                ActionCompleted.about(receipt.group_id or receipt.action_id, receipt, time=self.now())
                for receipt in receipts
            ]
            await self.inlet.deliver(done)
            self.answered.update(action.action_id for action in fresh)

    async def create(self, *groups: str, owner: str | None = "staff-1") -> None:
        """The channel tells of groups."""
        events = [
            GroupCreated.about(
                group, Group(group_id=group, name=group, owner=owner, capabilities=_NATIVE), time=self.now()
            )
            for group in groups
        ]
        await self.inlet.deliver(events)

    async def say(
        self,
        group: str,
        text: str = "请问今天几点开门",
        *,
        member: str = "u1",
        role: Role = Role.CUSTOMER,
        mentions: Sequence[str] = (),
    ) -> MessageScreened:
        """Somebody writes in a group; returns how it was judged."""
        await self.keeper.refresh()
        data = Message(
            message_id=uuid4().hex,
            group_id=group,
            sender=Sender(member_id=member, role=role),
            text=text,
            mentions=tuple(mentions),
            sent_at=self.now(),
        )
        await self.inlet.deliver([MessageReceived.about(group, data, time=self.now())])
        (screened,) = [
            event
            for event in await self.events()
            if isinstance(event, MessageScreened) and event.data.message_id == data.message_id
        ]
        return screened

    async def events(self) -> list[Event]:
        """Everything that was to be published so far: with no broker, it waits in the outbox."""
        entries = await outbox.older_than(self.database, datetime(2100, 1, 1, tzinfo=UTC), 10_000)
        return [decode(_TOPICS[record.topic], record.value) for entry in entries for record in entry.records]

    async def asked(self, group: str | None = None) -> list[Action]:
        """What was asked of the channel so far."""
        actions = [event.data for event in await self.events() if isinstance(event, ActionRequested)]
        return [action for action in actions if group in (None, action.group_id)]

    async def mode_of(self, group: str) -> str:
        """The mode that screening knows of."""
        document = await self.database["groups"].find_one({"_id": group}) or {}
        until = document.get("mode_until")
        return str(document["mode"]) if until is not None and until > self.now() else "normal"

    async def pending(self) -> list[str]:
        """The kinds of tasks of incidents that wait."""
        waiting = self.database["tasks"].find({"kind": {"$regex": r"^incidents\."}})
        return [task["kind"] async for task in waiting]

    async def audited(self) -> list[str]:
        """What the audit log says was done."""
        return [entry["action"] async for entry in self.database["audit_log"].find().sort("_id", 1)]

    @asynccontextmanager
    async def caller(self, *roles: Credential) -> AsyncIterator["Caller"]:
        """Somebody with these roles, at the interface."""
        key = await create_api_key(Outside(self.database), "test", roles)
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(base_url="http://desk", transport=transport, headers={"X-API-Key": key}) as http:
            yield Caller(http, f"key:{key.split('_')[1]}")


@dataclass(frozen=True)
class Caller:
    """A client of the interface; every write has a key of its own."""

    http: httpx.AsyncClient
    id: str

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = await self.http.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def send(
        self, method: str, path: str, body: Any = None, *, status: int = 200, seen: str | int | None = None
    ) -> Any:
        headers = {"Idempotency-Key": uuid4().hex}
        if seen is not None:
            headers["If-Match"] = seen if seen == "*" else f'"{seen}"'
        answer = await self.http.request(method, f"/api/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.send("POST", path, body, **options)

    async def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.send("PUT", path, body, **options)


async def prepare(mongo_url: str, database_name: str) -> None:
    """Make what the documents need."""
    client = connect(mongo_url)
    try:
        shared = {**WORK_INDEXES, **TASK_INDEXES, **WEB_INDEXES, **AUDIT_INDEXES}
        await ensure_indexes(client[database_name], {**shared, **INDEXES})
    finally:
        await client.close()


@asynccontextmanager
async def open_desk(mongo_url: str, database_name: str) -> AsyncIterator[Desk]:
    """Connect to a prepared database, empty it, and build the whole interface of moderation."""
    client = connect(mongo_url)
    try:
        database = client[database_name]
        for name in await database.list_collection_names():
            await database[name].delete_many({})
        directory = await open_directory(database)
        clock = SetClock()
        # Nobody listens there: what is to be published stays in the outbox, where the test reads it.
        transactor = Transactor(client, database, Publisher(KafkaOptions(bootstrap="127.0.0.1:1")), clock)
        keeper = RulebookKeeper(database)
        inlet = Inlet(
            database, transactor, RoutingTable(routes(keeper.current, directory, b"a key for tests")), directory
        )
        app = create_app(
            AppOptions(
                title="Moderation",
                version="1",
                description="x",
                db=database,
                transact=transactor.run,
                routers=ROUTERS,
                alive=lambda: True,
                checks={},
                state={"rulebook": keeper.current, "four_eyes": True},
            )
        )
        yield Desk(database, transactor, clock, inlet, keeper, app)
    finally:
        await client.close()
