"""The batch consumer on a real broker and a real database."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from huiqun.contracts.channel import Message, MessageReceived, Sender
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import record_of
from huiqun.kafka.topics import create_topics
from huiqun.runtime.clock import SystemClock
from huiqun.store import connect, ensure_indexes
from huiqun.stream import STREAM_INDEXES, BatchConsumer, Route
from huiqun.tasks.store import TASK_INDEXES
from huiqun.work import WORK_INDEXES, Transactor, Work


def message(number: int, group: str) -> MessageReceived:
    now = datetime.now(UTC)
    data = Message(message_id=f"m{number}", group_id=group, sender=Sender(member_id="u1"), text="你好", sent_at=now)
    return MessageReceived.about(group, data, time=now)


async def test_every_event_is_handled_once_and_in_the_order_of_its_group(
    mongo_url: str, database_name: str, kafka_options: KafkaOptions
) -> None:
    client = connect(mongo_url)
    db = client[database_name]
    await create_topics(kafka_options, partitions=2, replication=1)
    await ensure_indexes(db, {**WORK_INDEXES, **STREAM_INDEXES, **TASK_INDEXES, "seen": ()})
    publisher = Publisher(kafka_options)
    await publisher.start()

    async def handle(work: Work, events: Sequence[MessageReceived]) -> None:
        documents = [{"_id": event.data.message_id, "group": event.data.group_id} for event in events]
        await work.collection("seen").insert_many(documents)

    transactor = Transactor(client, db, publisher, SystemClock())
    consumer = BatchConsumer("moderation", [Route((MessageReceived,), handle)], transactor, kafka_options)
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    try:
        records = [record_of(message(number, f"g{number % 7}")) for number in range(1_000)]
        await publisher.publish([*records, *records])
        async with asyncio.timeout(30):
            while await db["seen"].count_documents({}) < 1_000:
                assert not running.done(), running.result()
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await running
        await publisher.stop()
    found = await db["seen"].find({"group": "g3"}).sort("$natural", 1).to_list(None)
    assert [int(document["_id"][1:]) for document in found] == list(range(3, 1_000, 7))
    await client.close()
