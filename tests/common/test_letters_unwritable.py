"""The topic of dead letters is away (Tansu takes what is for a topic that it does not have): whoever has one waits."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES, dead_letters_of
from huiqun.stream import Route
from huiqun.stream.dead_letters import read_dead_letters
from huiqun.testing.broker import PARTITIONS, SERVICE
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from tests.delivery_orders import message_ids
from tests.servers import handled_ids


@asynccontextmanager
async def admin_of(rig: Rig) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**rig.broker.options.client_arguments())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def is_gone(admin: AIOKafkaAdminClient, topic: str) -> bool:
    """The broker deletes it in its own time, and until then takes what is sent to it."""
    return topic not in await admin.list_topics()


@pytest.mark.kafka_only
async def test_a_consumer_waits_for_the_topic_of_dead_letters_and_goes_on_when_it_is_there(rig: Rig) -> None:
    topic = rig.broker.options.prefix + dead_letters_of(SERVICE).name

    async def note(work: Work, events: Sequence[MessageReceived]) -> None:
        await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])

    good = [message_received(n, "g1") for n in range(4)]
    await rig.broker.send(*good[:2])
    await rig.broker.send_raw(CHANNEL_MESSAGES, b"{broken")
    await rig.broker.send(*good[2:])
    consumer = rig.consumer(Route((MessageReceived,), note))
    async with admin_of(rig) as admin:
        await admin.delete_topics([topic])
        await eventually(lambda: is_gone(admin, topic))
        async with running_component(consumer) as consuming:
            await eventually(lambda: "dead-letter topic" in (consumer.heartbeat.unready_reason or ""))
            assert not consuming.done()
            assert not await rig.broker.has_read_all(CHANNEL_MESSAGES)
            await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
            await eventually(lambda: consumer.heartbeat.unready_reason is None)
            await eventually(lambda: _seen(rig, good))
    (letter,) = [letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]
    assert letter.value == b"{broken"


async def _seen(rig: Rig, events: Sequence[MessageReceived]) -> bool:
    return await handled_ids(rig) == message_ids(events)
