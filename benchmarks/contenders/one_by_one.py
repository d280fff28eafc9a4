"""Moderation's job done message by message with FastStream: the same decisions, documents and guarantees."""

import uvloop
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage

from benchmarks.contenders import FETCH_WAIT_MILLISECONDS, tune_collector
from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka import Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.store import DuplicateKey, OutsideTransaction, connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.telemetry import configure_logs
from huiqun.work import WORK_INDEXES, Transactor, Work, outbox
from huiqun.work.transactor import BatchDelivery
from moderation.documents import INDEXES
from moderation.lexicon.handlers import import_shipped_lists
from moderation.rulebook.handlers import RulebookKeeper
from moderation.screening.handlers import Screening
from moderation.settings import Settings

NAME = "one-by-one"
# A consumer for each partition, side by side in this process: FastStream's own way to overlap the waits.
WORKERS = 4


async def decode_message(message: KafkaMessage) -> Event:
    """The event in the record, decoded once, by the decoder that moderation uses."""
    return decode_event(CHANNEL_MESSAGES, message.body)


class OneByOne:
    """The handler and what it works with."""

    def __init__(self, transactor: Transactor, broker: KafkaBroker, prefix: str) -> None:
        self._transactor = transactor
        self._broker = broker
        self._prefix = prefix
        self.keeper = RulebookKeeper(transactor.database)
        self._screening = Screening(self.keeper.current, b"bench")

    async def screen(self, event: MessageReceived, message: KafkaMessage) -> None:
        """Judge one message in a transaction with inbox, archive, standing and outbox; publish; acknowledge."""

        async def judge(work: Work) -> None:
            await self._screening.screen(work, [event])

        try:
            _, entries = await self._transactor.commit(judge, BatchDelivery([event.identity], []))
        except DuplicateKey:  # it was dealt with before the process last stopped
            await message.ack()
            return
        for record in (record for entry in entries for record in entry.records):
            headers = {name: value.decode() for name, value in record.headers}
            await self._broker.publish(record.value, self._prefix + record.topic, key=record.key, headers=headers)
        await outbox.delete_outbox_entries(self._transactor.database, entries)
        await message.ack()


async def main() -> None:
    settings = Settings()
    client = connect(settings.mongo)
    database = client[f"{settings.database_prefix}moderation"]
    await ensure_indexes(database, {**WORK_INDEXES, **TASK_INDEXES, **INDEXES})
    kafka = settings.kafka
    transactor = Transactor(client, database, Publisher(kafka), SystemClock())
    await import_shipped_lists(OutsideTransaction(database), transactor)
    broker = KafkaBroker(kafka.bootstrap, acks="all", enable_idempotence=kafka.idempotent, logger=None)
    handler = OneByOne(transactor, broker, kafka.prefix)
    await handler.keeper.refresh()
    subscriber = broker.subscriber(
        settings.topic_prefix + CHANNEL_MESSAGES.name,
        group_id=settings.topic_prefix + NAME,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        decoder=decode_message,
        max_workers=WORKERS,
        session_timeout_ms=settings.kafka_session_timeout_ms,
        heartbeat_interval_ms=settings.kafka_session_timeout_ms // 3,
        fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
    )
    subscriber(handler.screen)
    await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    configure_logs(NAME, Settings().log_level)
    tune_collector()
    uvloop.run(main())
