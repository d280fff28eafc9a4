"""One service on real servers, as a test drives it: events in, time passes, requests; events and documents out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self, TypeVar

import httpx
from aiokafka import ConsumerRecord
from fastapi import APIRouter

from huiqun.channel.directory.documents import member_from
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember, StampedValue
from huiqun.channel.directory.store import DIRECTORY
from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import Action, ActionKind, ActionRequested
from huiqun.contracts.envelope import Event
from huiqun.kafka import KafkaOptions
from huiqun.privacy.encryption import KEY_VAULT, MasterKeys, open_encryption
from huiqun.privacy.suppression import SuppressionList
from huiqun.runtime.clock import Clock, SystemClock
from huiqun.service.connections import SHARED_INDEXES
from huiqun.store import (
    Client,
    Database,
    Index,
    MongoOptions,
    OutsideTransaction,
    close_client,
    connect,
    ensure_indexes,
)
from huiqun.stream import STREAM_INDEXES, BatchConsumer, ConsumerOptions, Route
from huiqun.stream.batch import ReceivedEvent, RefusedRecord, without_duplicates
from huiqun.stream.routes import RoutingTable
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskRunner
from huiqun.tasks.store import TASK_INDEXES, find_next_due
from huiqun.testing.broker import SERVICE, Broker, open_broker
from huiqun.testing.clearing import delete_documents
from huiqun.testing.clock import ManualClock
from huiqun.testing.events import action_receipt
from huiqun.testing.http import ServedInterface, serve_interface
from huiqun.testing.recording import RecordingTransactor
from huiqun.web import AppOptions, Role, create_app
from huiqun.web.api_keys import API_KEYS
from huiqun.work import WORK_INDEXES, inbox
from huiqun.work.task import TASKS
from huiqun.work.transactor import BatchDelivery, UseCase

T = TypeVar("T")
EventT = TypeVar("EventT", bound=Event)
# What stays when a rig begins anew: without these, names could not be read, and clients not sign in.
_KEPT: Final = frozenset({KEY_VAULT, API_KEYS})


class TaskNotRunError(AssertionError):
    """A task is due that the rig has no kind for or that somebody else holds, or it has failed."""


@dataclass
class Rig:
    """What a test drives. `wire` says which routes, tasks and HTTP routes of the service it is about.

    `follows_actions`: whatever is asked of the channel is carried out at once, and the service is told so.
    """

    client: Client
    database: Database
    transactor: RecordingTransactor
    directory: Directory
    _opened: AsyncExitStack
    kafka: Broker | None = None
    follows_actions: bool = False
    _table: RoutingTable = field(default_factory=lambda: RoutingTable(()))
    _kinds: Mapping[str, TaskKind] = field(default_factory=dict)
    _routers: Sequence[APIRouter] = ()
    _provided: Sequence[object] = ()
    _interface: ServedInterface | None = None
    _answered: int = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        mongo: MongoOptions | str,
        database_name: str,
        indexes: Mapping[str, Sequence[Index]],
        *,
        clock: Clock | None = None,
        kafka: KafkaOptions | None = None,
    ) -> AsyncIterator[Self]:
        """Connect, and create what the documents of `indexes` need; the database stays when the rig is closed.

        Where these are those of a service, with a directory, so is what every service has: a key for encryption, an
        audit log, API keys. Tests of the engine take less time without.

        With `kafka` the rig has a broker, creates all topics there, and runs on the time of the machine; without, it
        has a clock that the test sets. Either may be had by `clock`.
        """
        clock = clock or (SystemClock() if kafka else ManualClock())
        async with AsyncExitStack() as opened:
            client = connect(mongo)
            opened.push_async_callback(close_client, client)
            database = client[database_name]
            engine = {**WORK_INDEXES, **TASK_INDEXES, **(STREAM_INDEXES if kafka else {})}
            await ensure_indexes(database, {**(SHARED_INDEXES if DIRECTORY in indexes else engine), **indexes})
            keys = MasterKeys("a key of these tests")
            encryption = await opened.enter_async_context(open_encryption(mongo, database_name, keys))
            if DIRECTORY in indexes:
                await encryption.start()
            directory = Directory(encryption, SuppressionList(b"a key of these tests"))
            broker = await opened.enter_async_context(open_broker(kafka)) if kafka else None
            transactor = RecordingTransactor(client, database, clock, broker.publisher if broker else None)
            yield cls(client, database, transactor, directory, opened, broker)

    def wire(
        self,
        *,
        routes: Sequence[Route] = (),
        task_kinds: Mapping[str, TaskKind] | None = None,
        routers: Sequence[APIRouter] = (),
        provided: Sequence[object] = (),
    ) -> None:
        """Take these parts of the service; `provided` is what its HTTP routes need, beside the directory.

        What was wired before is not there any more, but for an interface that was asked already.
        """
        self._table = RoutingTable(tuple(routes))
        self._kinds = task_kinds or {}
        self._routers = routers
        self._provided = (self.directory, *(each for each in provided if each is not self.directory))

    @property
    def clock(self) -> ManualClock:
        """The clock of the service, which the test sets; TypeError where it runs on the time of the machine."""
        if not isinstance(self.transactor.clock, ManualClock):
            raise TypeError("this rig runs on the time of the machine")
        return self.transactor.clock

    @property
    def broker(self) -> Broker:
        """The connection to the broker; LookupError where the rig was opened without one."""
        if self.kafka is None:
            raise LookupError("this rig has no broker")
        return self.kafka

    @property
    def reader(self) -> OutsideTransaction:
        """The database, for the functions that read within a transaction and outside of it."""
        return OutsideTransaction(self.database)

    def consumer(self, *routes: Route, options: ConsumerOptions | None = None) -> BatchConsumer:
        """A member of the service's consumer group on the rig's broker."""
        return BatchConsumer(SERVICE, routes, self.transactor, self.broker.options, options or ConsumerOptions())

    def has_route_for(self, event: Event) -> bool:
        """Whether the service has a route for events of this type."""
        return type(event) in self._table.events

    def task_runner(self) -> TaskRunner:
        """A replica that runs the service's tasks when they are due."""
        return TaskRunner(self.transactor, self._kinds)

    async def deliver(self, *events: Event) -> None:
        """Hand over one batch as the consumer does: in the order of the routes' topics, each event once.

        Raises AssertionError when a handler refuses one, and whatever else a handler raises.
        """
        if refusals := await self.deliver_refused(*events):
            raise AssertionError(f"refused: {'; '.join(refusals)}")

    async def deliver_refused(self, *events: Event) -> list[str]:
        """Deliver one batch; returns the reasons why events of it were refused."""
        rank = {topic: number for number, topic in enumerate(self._table.topics)}
        ordered = sorted(events, key=lambda event: rank[event.topic])
        received = without_duplicates(
            [ReceivedEvent(event, consumer_record_of(event), event.identity) for event in ordered]
        )
        known = await inbox.find_known_ids(self.database, [item.identity for item in received])
        fresh = [item for item in received if item.identity not in known]
        if not fresh:
            return []
        delivery = BatchDelivery([item.identity for item in fresh], (), [item.event.fingerprint for item in fresh])
        await self._table.prepare(fresh, self.transactor.clock.now())
        refused: list[RefusedRecord]
        refused, _ = await self.transactor.commit(lambda work: self._table.dispatch(work, fresh), delivery)
        await self._do_actions()
        return [each.reason for each in refused]

    async def run(self, use_case: UseCase[T]) -> T:
        """Run a use case in a transaction, as a request does."""
        result = await self.transactor.run(use_case)
        await self._do_actions()
        return result

    async def run_due(self, until: datetime | timedelta = timedelta()) -> None:
        """Let the time pass until then, or for so long, and run each task at its own time, in the order of these.

        Raises TaskNotRunError when one fails, or when nobody runs it.
        """
        clock = self.clock
        end = until if isinstance(until, datetime) else clock.moment + until
        await self._do_actions()
        while (due := await find_next_due(self.database)) is not None and due <= end:
            clock.moment = max(due, clock.moment)
            if not await self.run_task() and await find_next_due(self.database) == due:
                raise TaskNotRunError(await self._tasks({"due": {"$lte": clock.moment}}))
            if failed := await self._tasks({"error": {"$exists": True}}):
                raise TaskNotRunError(failed)
        clock.moment = max(end, clock.moment)

    async def run_task(self) -> bool:
        """Run the task that has been due longest, as a replica of its own; False where none is due."""
        has_run = await self.task_runner().run_next()
        await self._do_actions()
        return has_run

    async def _tasks(self, query: Mapping[str, Any]) -> str:
        found = [task async for task in self.database[TASKS].find(query)]
        return "; ".join(f"{task['kind']} {task['_id']} {task.get('error', '')}" for task in found)

    def emitted(self, kind: type[EventT]) -> list[EventT]:
        """The events of this type that the service has committed, in their order; `kind` may be Event for all."""
        return [event for event in self.transactor.emitted if isinstance(event, kind)]

    def actions(self, *kinds: ActionKind) -> list[Action]:
        """What was asked of the channel of these kinds, in order; all without any."""
        asked = [event.data for event in self.emitted(ActionRequested)]
        return [action for action in asked if not kinds or action.kind in kinds]

    async def _do_actions(self) -> None:
        """Be the channel: carry out what was asked of it, and what is asked because of that."""
        while self.follows_actions and (fresh := self.actions()[self._answered :]):
            self._answered += len(fresh)
            await self.deliver(*(action_receipt(action, moment=self.transactor.clock.now()) for action in fresh))

    async def interface(self) -> ServedInterface:
        """The routes of the service on a port of their own, served from now on."""
        if self._interface is None:
            options = AppOptions(
                title="Tested",
                version="1",
                description="A service in a test.",
                db=self.database,
                transact=self.run,
                routers=self._routers,
                alive=lambda: True,
                checks={},
                provided=self._provided,
            )
            serving = serve_interface(create_app(options), self.reader)
            self._interface = await self._opened.enter_async_context(serving)
        return self._interface

    async def http(self, *roles: Role) -> httpx.AsyncClient:
        """A client of the interface with an API key of these roles, or with none."""
        return await (await self.interface()).client(*roles)

    async def documents(self, collection: str, **query: Any) -> list[dict[str, Any]]:
        """What stands in a collection by id, without the times of writing."""
        return await self.database[collection].find(query, {"updated_at": 0}).sort("_id", 1).to_list(None)

    async def document(self, collection: str, document_id: str) -> dict[str, Any]:
        """The document of this id; LookupError where there is none."""
        for found in await self.documents(collection, _id=document_id):
            return found
        raise LookupError(f"{collection} has no {document_id}")

    async def members(self) -> dict[str, DirectoryMember]:
        """Whom the directory knows, by key; names and ids are encrypted each time otherwise, and so left empty."""
        found = [member_from(each) async for each in self.database[DIRECTORY].find({"record": "member"})]
        for member in found:
            member.name = member.name and StampedValue(b"", member.name.stamp)
            member.ids = {kind: StampedValue(b"", told.stamp) for kind, told in member.ids.items()}
        return {member.key: member for member in found}

    async def clear(self) -> None:
        """Begin anew, in a tenth of the time that another database takes: nothing stored, nothing emitted."""
        await delete_documents(self.database, keep=_KEPT)
        self.transactor.emitted.clear()
        self._answered = 0


def consumer_record_of(event: Event) -> ConsumerRecord:
    """The record of an event, however large, as a consumer reads it."""
    key, value = event.subject.encode(), encode_event(event)
    return ConsumerRecord(event.topic.name, 0, 0, 0, 0, key, value, None, len(key), len(value), ())
