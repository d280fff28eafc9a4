"""A transactor that keeps what its use cases emitted."""

from collections.abc import Sequence
from typing import TypeVar

from huiqun.contracts.envelope import Event
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import Clock
from huiqun.store import Client, Database
from huiqun.work import Transactor, Work, outbox
from huiqun.work.transactor import BatchDelivery, UseCase

T = TypeVar("T")


class RecordingTransactor(Transactor):
    """Commits as the service does; `emitted` are the events of what was committed, in its order.

    Without a `publisher` nothing leaves: what was emitted stays in the outbox.
    """

    def __init__(self, client: Client, database: Database, clock: Clock, publisher: Publisher | None = None) -> None:
        super().__init__(client, database, publisher or Publisher(KafkaOptions("nowhere:9092")), clock)
        self._has_broker = publisher is not None
        self.emitted: list[Event] = []

    async def commit(
        self, use_case: UseCase[T], delivery: BatchDelivery | None = None
    ) -> tuple[T, list[outbox.OutboxEntry]]:
        """Run the use case in one transaction, and keep what it emitted if it was committed."""

        async def noting(work: Work) -> tuple[T, list[Event]]:
            return await use_case(work), work.emitted

        (result, emitted), entries = await super().commit(noting, delivery)
        self.emitted += emitted
        return result, entries

    async def publish(self, entries: Sequence[outbox.OutboxEntry]) -> None:
        """Send the entries' records to the broker where there is one."""
        if self._has_broker:
            await super().publish(entries)
