"""Runs use cases, each in one transaction with its outbox, and publishes what they emitted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError

from huiqun.runtime.clock import Clock
from huiqun.store import Client, Database, StoreError, commit_outcome_is_unknown, is_transient, transaction
from huiqun.stream import inbox, outbox
from huiqun.stream.publisher import Publisher, Record, record_of
from huiqun.stream.retry import for_at_most
from huiqun.stream.work import Work
from huiqun.tasks.store import write_tasks

T = TypeVar("T")
UseCase = Callable[[Work], Awaitable[T]]

# Long enough for a new primary to be elected, short enough for a person who waits.
_REQUEST_SECONDS = 10.0
_PUBLISH_SECONDS = 3.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a batch came from: its events' identities and its partitions ("topic/number")."""

    identities: Sequence[str]
    partitions: Sequence[str]


class Transactor:
    """Opens a Work, runs a use case in it, commits state, inbox and outbox together, and publishes."""

    def __init__(self, client: Client, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._client = client
        self.database = database
        self.publisher = publisher
        self.clock = clock

    async def run(self, use_case: UseCase[T]) -> T:
        """For requests and timers: commit within 10 s or raise, then publish.

        Where the broker is away the events stay in the outbox and the relay publishes them. Raises a StoreError that
        `commit_outcome_is_unknown` tells of when the commit's answer is lost; the caller knows whether to ask again.
        """

        async def attempt() -> tuple[T, list[outbox.Entry]]:
            return await self.commit(use_case)

        result, entries = await for_at_most(_REQUEST_SECONDS, attempt, name="request", passes=_may_run_again)
        await self._publish_soon(entries)
        return result

    async def commit(self, use_case: UseCase[T], delivery: Delivery | None = None) -> tuple[T, list[outbox.Entry]]:
        """Run the use case in one transaction; the entries returned are committed and still to be published.

        Raises DuplicateKey when an event of the delivery has been dealt with before.
        """
        async with transaction(self._client) as session:
            work = Work(self.database, session, self.clock.now())
            if delivery is not None:
                await inbox.record(self.database, session, delivery.identities, work.now)
            result = await use_case(work)
            if work.scheduled or work.cancelled:
                await write_tasks(
                    self.database, session, tuple(work.scheduled.values()), tuple(work.cancelled), work.now
                )
            records: list[Record] = list(map(record_of, work.emitted))
            partitions = delivery.partitions if delivery is not None else ()
            entries = await outbox.put(self.database, session, records, partitions, work.now)
        return result, entries

    async def publish(self, entries: Sequence[outbox.Entry]) -> None:
        """Send the entries' records to the broker, then forget the entries."""
        if entries:
            await self.publisher.publish([record for entry in entries for record in entry.records])
            await outbox.remove(self.database, entries)

    async def _publish_soon(self, entries: Sequence[outbox.Entry]) -> None:
        try:
            await asyncio.wait_for(self.publish(entries), _PUBLISH_SECONDS)
        except (KafkaError, OSError, StoreError) as error:  # TimeoutError is an OSError
            _log.warning("left_to_the_relay", entries=len(entries), error=repr(error)[:200])


def _may_run_again(error: BaseException) -> bool:
    """Whether the store asks for it. Where the commit's answer is lost, the effect might be there twice."""
    return is_transient(error) and not commit_outcome_is_unknown(error)
