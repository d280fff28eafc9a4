"""Consumes, bulk-inserts and publishes the same bytes, and does nothing else: what the servers and drivers can do."""

import asyncio
import signal

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.contenders import FETCH_WAIT_MILLISECONDS, tune_collector
from huiqun.contracts.topics import CHANNEL_MESSAGES, MODERATION_DECISIONS
from huiqun.store import connect
from moderation.settings import Settings

NAME = "bare-loop"
_MAX_BATCH = 500


async def main() -> None:
    settings = Settings()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = connect(settings.mongo)
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + CHANNEL_MESSAGES.name,
        **settings.kafka.client_arguments(),
        group_id=settings.topic_prefix + NAME,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=settings.kafka_session_timeout_ms,
        heartbeat_interval_ms=settings.kafka_session_timeout_ms // 3,
        fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
    )
    producer = AIOKafkaProducer(
        **settings.kafka.client_arguments(),
        acks="all",
        enable_idempotence=settings.kafka_idempotent,
        max_batch_size=512 * 1024,
    )
    await producer.start()
    await consumer.start()
    messages = client[f"{settings.database_prefix}moderation"]["messages"]
    topic = settings.topic_prefix + MODERATION_DECISIONS.name
    while not stop.is_set():
        polled = await consumer.getmany(timeout_ms=250, max_records=_MAX_BATCH)
        records = [record for batch in polled.values() for record in batch]
        if records:
            await messages.insert_many([{"value": record.value} for record in records], ordered=False)
            await asyncio.gather(*[await producer.send(topic, record.value, key=record.key) for record in records])
            await consumer.commit({partition: batch[-1].offset + 1 for partition, batch in polled.items()})
    await consumer.stop()
    await producer.stop()
    await client.close()


if __name__ == "__main__":
    tune_collector()
    uvloop.run(main())
