"""A consumer that is kept out of its group says why, and reads when it may, without anybody restarting it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES, MODERATION_DECISIONS
from huiqun.kafka import Publisher
from huiqun.stream import BatchConsumer, Route
from huiqun.stream.consumer import poll_partitions
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import message_allowed, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Transactor, Work
from local.stack import Stack
from tests.acls import Operation, Resource, Rights, grant

TOPIC_RIGHTS: Rights = {Resource.TOPIC: (Operation.DESCRIBE, Operation.READ, Operation.WRITE)}
GROUP_RIGHTS: Rights = {Resource.GROUP: (Operation.READ,)}


async def note(work: Work, events: Sequence[MessageReceived]) -> None:
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])
    work.emit_all([message_allowed(event) for event in events])


@pytest.mark.kafka_only
async def test_a_consumer_without_rights_says_which_and_goes_on_when_it_has_them(rig: Rig, stack: Stack) -> None:
    assert stack.secured is not None
    user = stack.secured.stranger
    security = replace(stack.secured.security("SASL_SSL"), username=user)
    options = replace(rig.broker.options, bootstrap=stack.secured.bootstrap("SASL_SSL"), security=security)
    administrator = replace(rig.broker.options, bootstrap=stack.bootstrap, security=type(security)())
    publisher = Publisher(options)
    transactor = Transactor(rig.client, rig.database, publisher, rig.transactor.clock)
    consumer = BatchConsumer(SERVICE, [Route((MessageReceived,), note)], transactor, options)

    async def is_published() -> bool:
        return len(await rig.broker.records(MODERATION_DECISIONS)) == 1

    def refuses(what: str) -> bool:
        said = consumer.heartbeat.failure or ""
        return what in said and f"grant {user} Read" in said

    async with running_component(consumer) as task:
        for rights, what in ((TOPIC_RIGHTS, "the topic"), (GROUP_RIGHTS, "the group")):
            await eventually(lambda what=what: refuses(what), 60)  # type: ignore[misc]
            assert not task.done()
            await grant(administrator, user, rights)
        await rig.broker.send(message_received(1))
        await eventually(is_published, 60)
        await eventually(lambda: consumer.heartbeat.failure is None)
    await publisher.stop()


async def test_a_poll_in_the_middle_of_a_rebalance_comes_back(rig: Rig) -> None:
    """As when the broker goes away before the group has settled: the loop has to go on beating."""
    place = TopicPartition(rig.broker.options.prefix + CHANNEL_MESSAGES.name, 0)
    consumer = AIOKafkaConsumer(
        place.topic,
        **rig.broker.options.client_arguments(),
        group_id=f"{rig.broker.options.prefix}readers",
        enable_auto_commit=False,
    )
    async with consumer:
        await eventually(lambda: place in consumer.assignment())
        consumer._subscription.begin_reassignment()
        assert await asyncio.wait_for(poll_partitions(consumer, [place], 50, 10), 20) == {}


async def test_a_poll_of_no_partitions_hears_what_keeps_the_consumer_out_of_its_group(rig: Rig) -> None:
    """Until somebody hears it, aiokafka does not try again: a replica without partitions would never get any."""
    group = f"{rig.broker.options.prefix}readers"
    consumer = AIOKafkaConsumer(**rig.broker.options.client_arguments(), group_id=group, enable_auto_commit=False)
    consumer.subscribe([rig.broker.options.prefix + CHANNEL_MESSAGES.name])
    async with consumer:
        assert await poll_partitions(consumer, [], 50, 10) == {}
        waiting = asyncio.ensure_future(consumer._coordinator._push_error_to_user(GroupAuthorizationFailedError(group)))
        await asyncio.sleep(0)
        with pytest.raises(GroupAuthorizationFailedError):
            await poll_partitions(consumer, [], 50, 10)
        await asyncio.wait_for(waiting, 10)


async def test_a_consumer_joins_its_group_anew_after_an_error_that_aiokafka_does_not_get_over(rig: Rig) -> None:
    """As when the broker dies in the middle of a rebalance."""
    consumer = rig.consumer(Route((MessageReceived,), note))

    async def are_published(count: int) -> bool:
        return len(await rig.broker.records(MODERATION_DECISIONS)) == count

    async with running_component(consumer) as task:
        await rig.broker.send(message_received(1))
        await eventually(lambda: are_published(1))
        assert consumer._consumer is not None
        await consumer._consumer._coordinator._push_error_to_user(KafkaError("Unexpected error during coordination"))
        await rig.broker.send(message_received(2))
        await eventually(lambda: are_published(2), 60)
        await eventually(lambda: consumer.heartbeat.failure is None)
        assert not task.done()


@pytest.mark.kafka_only
async def test_a_consumer_waits_while_strangers_hold_its_group(rig: Rig) -> None:
    """Members of a group have to agree on how it shares its partitions; the broker refuses who does not."""
    consumer = rig.consumer(Route((MessageReceived,), note))
    topic = rig.broker.options.prefix + CHANNEL_MESSAGES.name

    async def is_published() -> bool:
        return len(await rig.broker.records(MODERATION_DECISIONS)) == 1

    stranger = AIOKafkaConsumer(
        **rig.broker.options.client_arguments(),
        group_id=consumer.group,
        enable_auto_commit=False,
        partition_assignment_strategy=(RangePartitionAssignor,),
    )
    stranger.subscribe([topic])
    async with stranger:
        await eventually(lambda: bool(stranger.assignment()), 60)
        async with running_component(consumer) as task:
            await rig.broker.send(message_received(1))
            await eventually(lambda: consumer.heartbeat.failure == "InconsistentGroupProtocolError", 60)
            assert not task.done()
            await stranger.stop()
            await eventually(is_published, 60)
            await eventually(lambda: consumer.heartbeat.failure is None)
