"""The batch consumer on a real broker and a real database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from huiqun.contracts.channel import Message, MessageReceived, Sender
from huiqun.runtime.clock import SystemClock
from huiqun.store import connect, ensure_indexes
from huiqun.stream import STREAM_INDEXES, BatchConsumer, KafkaOptions, Publisher, Route, Transactor, Work
from huiqun.stream.publisher import record_of
from huiqun.stream.topics import create_topics
from huiqun.timers import TIMER_INDEXES


def message(number: int, group: str = "g1", text: str = "你好") -> MessageReceived:
    now = datetime.now(UTC)
    data = Message(message_id=f"m{number}", group_id=group, sender=Sender(member_id="u1"), text=text, sent_at=now)
    return MessageReceived.about(group, data, time=now)


async def test_events_are_handled(stack: Any, database_name: str, topic_prefix: str) -> None:
    options = KafkaOptions(stack.bootstrap, topic_prefix, idempotent=False)
    client = connect(stack.mongo_url)
    db = client[database_name]
    await create_topics(options, partitions=2, replication=1)
    await ensure_indexes(db, {**STREAM_INDEXES, **TIMER_INDEXES, "seen": ()})
    publisher = Publisher(options)
    await publisher.start()
    transactor = Transactor(client, db, publisher, SystemClock())

    async def handle(events: Sequence[MessageReceived], work: Work) -> None:
        await work.db["seen"].insert_many([{"_id": event.data.message_id} for event in events], session=work.session)

    consumer = BatchConsumer("moderation", [Route((MessageReceived,), handle)], transactor, options)
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    await publisher.publish([record_of(message(n, f"g{n % 7}")) for n in range(3000)])
    import time
    t = time.time()
    while await db["seen"].count_documents({}) < 3000:
        assert not task.done(), task.result()
        await asyncio.sleep(0.05)
        assert time.time() - t < 20
    print("took", time.time() - t)
    stop.set()
    await task
    await publisher.stop()
