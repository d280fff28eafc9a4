"""Runs use cases, each in one transaction with its outbox, and publishes what they emitted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError

from huiqun.kafka import Publisher
from huiqun.kafka.publisher import Record, RecordsTooLargeError, event_record
from huiqun.runtime.clock import Clock
from huiqun.store import (
    Client,
    Database,
    OutsideTransaction,
    StoreError,
    commit_outcome_is_unknown,
    is_transient,
    transaction,
)
from huiqun.telemetry import current_traceparent, describe_error
from huiqun.work import inbox, outbox, parked
from huiqun.work.retry import retry_for
from huiqun.work.scheduling import write_tasks
from huiqun.work.turns import TransactionTurns
from huiqun.work.unit_of_work import Work

T = TypeVar("T")
UseCase = Callable[[Work], Awaitable[T]]

_PUBLISH_SECONDS = 3.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BatchDelivery:
    """Where a batch came from: its events' identities and its partitions ("topic/number").

    `fingerprints` are those of the same events, in the same order.
    """

    identities: Sequence[str]
    partitions: Sequence[str]
    fingerprints: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class TransactorOptions:
    """How use cases are run: how long `run` tries again, and the source of events that may be any service's."""

    # Long enough for a new primary to be elected, short enough for a person who waits.
    request_seconds: float = 10.0
    source: str = "huiqun"


class Transactor:
    """Opens a Work, runs a use case in it, commits state, inbox and outbox together, and publishes."""

    def __init__(
        self,
        client: Client,
        database: Database,
        publisher: Publisher,
        clock: Clock,
        options: TransactorOptions = TransactorOptions(),
    ) -> None:
        self._client = client
        self._options = options
        self.database = database
        self.publisher = publisher
        self.clock = clock
        self._turns = TransactionTurns()
        self._conflicted = asyncio.Lock()

    async def run(self, use_case: UseCase[T]) -> T:
        """For requests and tasks: commit within 10 s or raise, then publish.

        What conflicted runs again one after the other, lest many who change one thing keep each other from it.
        Where the broker is away the events stay in the outbox and the relay publishes them. Raises a StoreError that
        `commit_outcome_is_unknown` tells of when the commit's answer is lost; the caller knows whether to ask again.
        """

        first = True

        async def attempt() -> tuple[T, list[outbox.OutboxEntry]]:
            nonlocal first
            if first:
                first = False
                return await self.commit(use_case)
            async with self._conflicted:
                return await self.commit(use_case)

        result, entries = await retry_for(
            self._options.request_seconds, attempt, name="request", retry_on=_may_run_again
        )
        await self._publish_soon(entries)
        return result

    async def commit(
        self, use_case: UseCase[T], delivery: BatchDelivery | None = None
    ) -> tuple[T, list[outbox.OutboxEntry]]:
        """Run the use case in one transaction; the entries returned are committed and still to be published.

        Raises DuplicateKey when an event of the delivery has been dealt with before.
        """
        async with self._turns.queue_for_turn() as take_turn, transaction(self._client) as session:
            now, trace = self.clock.now(), current_traceparent()
            work = Work(self.database, session, now, self._options.source, trace, take_turn=take_turn)
            if delivery is not None:
                await inbox.insert_inbox_ids(work, delivery.identities, delivery.fingerprints)
            result = await use_case(work)
            if work.scheduled or work.cancelled:
                await write_tasks(work, work.scheduled.values(), work.cancelled)
            records: list[Record] = [*map(event_record, work.emitted), *work.letters]
            partitions = delivery.partitions if delivery is not None else ()
            entries = await outbox.insert_outbox_entry(work, records, partitions)
        await self._clean_up(work)
        return result, entries

    async def publish(self, entries: Sequence[outbox.OutboxEntry]) -> None:
        """Send the entries' records to the broker, then forget the entries; what it takes in no way is parked."""
        if entries:
            try:
                await self.publisher.publish([record for entry in entries for record in entry.records])
            except RecordsTooLargeError as error:
                await parked.park_records(self.database, entries, error.refused, self.clock.now())
            await outbox.delete_outbox_entries(self.database, entries)

    async def _clean_up(self, work: Work) -> None:
        for cleanup in work.cleanups:
            try:
                await cleanup(OutsideTransaction(self.database))
            except StoreError as error:
                _log.warning("cleanup_left", error=describe_error(error))

    async def _publish_soon(self, entries: Sequence[outbox.OutboxEntry]) -> None:
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self.publish(entries)
        except (KafkaError, OSError, StoreError) as error:  # TimeoutError is an OSError
            _log.warning("left_to_the_relay", entries=len(entries), error=describe_error(error))


def _may_run_again(error: BaseException) -> bool:
    """Whether the store asks for it. Where the commit's answer is lost, the effect might be there twice."""
    return is_transient(error) and not commit_outcome_is_unknown(error)
