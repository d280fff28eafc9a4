"""The topic of dead letters is away (Tansu takes what is for a topic that it does not have): whoever has one waits."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES, dead_letters_of
from huiqun.stream import Route
from huiqun.stream.dead_letters import read_all
from huiqun.work import Work
from tests.channel import ids, message
from tests.spine import PARTITIONS, SERVICE, Spine, eventually, running


@asynccontextmanager
async def admin_of(spine: Spine) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**spine.kafka.client_arguments())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def is_gone(admin: AIOKafkaAdminClient, topic: str) -> bool:
    """The broker deletes it in its own time, and until then takes what is sent to it."""
    return topic not in await admin.list_topics()


@pytest.mark.kafka_only
async def test_a_consumer_waits_for_the_topic_of_dead_letters_and_goes_on_when_it_is_there(spine: Spine) -> None:
    topic = spine.kafka.prefix + dead_letters_of(SERVICE).name

    async def note(work: Work, events: Sequence[MessageReceived]) -> None:
        await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])

    good = [message(n, "g1") for n in range(4)]
    await spine.send(*good[:2])
    await spine.send_raw(CHANNEL_MESSAGES, b"{broken")
    await spine.send(*good[2:])
    consumer = spine.consumer(Route((MessageReceived,), note))
    async with admin_of(spine) as admin:
        await admin.delete_topics([topic])
        await eventually(lambda: is_gone(admin, topic))
        async with running(consumer) as consuming:
            await eventually(lambda: "dead-letter topic" in (consumer.heartbeat.unready_reason or ""))
            assert not consuming.done()
            assert not await spine.has_read_all(CHANNEL_MESSAGES)
            await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
            await eventually(lambda: consumer.heartbeat.unready_reason is None)
            await eventually(lambda: _seen(spine, good))
    (letter,) = [letter async for letter in read_all(spine.kafka, SERVICE)]
    assert letter.value == b"{broken"


async def _seen(spine: Spine, events: Sequence[MessageReceived]) -> bool:
    return await spine.seen() == ids(events)
