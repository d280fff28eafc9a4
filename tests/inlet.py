"""Events into a service's routes as its consumer would bring them, without a broker."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from aiokafka import ConsumerRecord
from fastapi import APIRouter

from huiqun.channel.directory.documents import member_from
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember, Told
from huiqun.channel.directory.store import DIRECTORY
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import Topic
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import record_of
from huiqun.privacy.encryption import KEY_VAULT
from huiqun.runtime.clock import Clock, SystemClock
from huiqun.store import Database, Index, Outside, connect, ensure_indexes
from huiqun.stream import Route
from huiqun.stream.batch import Received, Refused, without_duplicates
from huiqun.stream.routes import RoutingTable
from huiqun.tasks.store import TASK_INDEXES
from huiqun.web import AppOptions, create_api_key, create_app, undocumented
from huiqun.work import WORK_INDEXES, Transactor, inbox
from huiqun.work.transactor import Delivery
from tests.directories import open_directory


@dataclass(frozen=True)
class Inlet:
    """Takes batches; `database` shows what they led to."""

    database: Database
    transactor: Transactor
    table: RoutingTable
    directory: Directory

    @property
    def reader(self) -> Outside:
        """The same database, for the functions that read within a transaction and outside of it."""
        return Outside(self.database)

    async def deliver(self, events: Sequence[Event]) -> None:
        """One batch: the topics in the order of the routes, each event once, in one transaction."""
        await self.refusals_of(events)

    async def refusals_of(self, events: Sequence[Event]) -> list[str]:
        """Deliver one batch; returns the reasons why events of it were refused."""
        rank = {topic: number for number, topic in enumerate(self.table.topics)}
        received = [
            Received(event, record_in(event), event.identity)
            for event in sorted(events, key=lambda event: rank[event.topic])
        ]
        known = await inbox.known(self.database, [event.identity for event in events])
        fresh = [item for item in without_duplicates(received) if item.event.identity not in known]
        refused: list[Refused] = []
        if fresh:
            delivery = Delivery([item.event.identity for item in fresh], (), [item.event.fingerprint for item in fresh])
            await self.table.prepare(fresh, self.transactor.clock.now())
            refused, _ = await self.transactor.commit(lambda work: self.table.dispatch(work, fresh), delivery)
        return [each.reason for each in refused]

    async def documents(self, collection: str) -> dict[str, dict[str, Any]]:
        """What stands in a collection by id, without the times of writing."""
        cursor = self.database[collection].find({}, {"updated_at": 0})
        return {document["_id"]: document async for document in cursor}

    async def members(self) -> dict[str, DirectoryMember]:
        """Whom the directory knows, by key; names and ids are encrypted each time otherwise, and so left empty."""
        found = [member_from(each) async for each in self.database[DIRECTORY].find({"record": "member"})]
        for member in found:
            member.name = member.name and Told(b"", member.name.stamp)
            member.ids = {kind: Told(b"", told.stamp) for kind, told in member.ids.items()}
        return {member.key: member for member in found}

    async def clear(self) -> None:
        """Begin anew: empty every collection, but for the keys that names are encrypted under."""
        for name in await self.database.list_collection_names():
            if name != KEY_VAULT:
                await self.database[name].delete_many({})


@asynccontextmanager
async def open_inlet(
    mongo_url: str,
    database_name: str,
    routes: Callable[[Directory], Sequence[Route]],
    indexes: Mapping[str, Sequence[Index]],
    clock: Clock | None = None,
) -> AsyncIterator[Inlet]:
    """Connect to the store and create what the routes' documents need."""
    client = connect(mongo_url)
    try:
        database = client[database_name]
        await ensure_indexes(database, {**WORK_INDEXES, **TASK_INDEXES, **indexes})
        directory = await open_directory(database)
        # Never started: nothing is published from here.
        publisher = Publisher(KafkaOptions(bootstrap="nowhere:9092"))
        transactor = Transactor(client, database, publisher, clock or SystemClock())
        yield Inlet(database, transactor, RoutingTable(tuple(routes(directory))), directory)
    finally:
        await client.close()


@asynccontextmanager
async def open_interface(inlet: Inlet, routers: Sequence[APIRouter]) -> AsyncIterator[httpx.AsyncClient]:
    """The routes of a service over the inlet's database, asked by an operator; nothing in them lacks words."""
    options = AppOptions(
        title="Tested",
        version="1",
        description="x",
        db=inlet.database,
        transact=inlet.transactor.run,
        routers=routers,
        alive=lambda: True,
        checks={},
        state={"directory": inlet.directory},
    )
    app = create_app(options)
    assert undocumented(app) == []
    headers = {"X-API-Key": await create_api_key(inlet.reader, "test", ["operator"])}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(base_url="http://tested", transport=transport, headers=headers) as client:
        yield client


async def every_page(http: httpx.AsyncClient, path: str, limit: int, **filters: str) -> list[dict[str, Any]]:
    """All items of a list, `limit` a page."""
    items: list[dict[str, Any]] = []
    parameters: dict[str, str | int] = {"limit": limit, **filters}
    while True:
        answer = await http.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if not page.get("next_cursor"):
            return items
        parameters["cursor"] = page["next_cursor"]


def record_in(event: Event) -> ConsumerRecord:
    """The record of an event, as a consumer reads it."""
    record = record_of(event)
    topic: Topic = event.topic
    return ConsumerRecord(
        topic.name, 0, 0, 0, 0, record.key, record.value, None, len(record.key or b""), len(record.value or b""), ()
    )
