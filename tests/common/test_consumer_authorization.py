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
from huiqun.stream.consumer import poll
from huiqun.work import Transactor, Work
from local.stack import Stack
from tests.acls import Operation, Resource, Rights, grant
from tests.channel import message, verdict_on
from tests.spine import SERVICE, Spine, eventually, running

TOPIC_RIGHTS: Rights = {Resource.TOPIC: (Operation.DESCRIBE, Operation.READ, Operation.WRITE)}
GROUP_RIGHTS: Rights = {Resource.GROUP: (Operation.READ,)}


async def note(work: Work, events: Sequence[MessageReceived]) -> None:
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])
    work.emit_all([verdict_on(event) for event in events])


@pytest.mark.kafka_only
async def test_a_consumer_without_rights_says_which_and_goes_on_when_it_has_them(spine: Spine, stack: Stack) -> None:
    assert stack.secured is not None
    user = stack.secured.stranger
    security = replace(stack.secured.security("SASL_SSL"), username=user)
    options = replace(spine.kafka, bootstrap=stack.secured.bootstrap("SASL_SSL"), security=security)
    administrator = replace(spine.kafka, bootstrap=stack.bootstrap, security=type(security)())
    publisher = Publisher(options)
    transactor = Transactor(spine.client, spine.database, publisher, spine.transactor.clock)
    consumer = BatchConsumer(SERVICE, [Route((MessageReceived,), note)], transactor, options)

    async def is_published() -> bool:
        return len(await spine.records(MODERATION_DECISIONS)) == 1

    def refuses(what: str) -> bool:
        said = consumer.heartbeat.failure or ""
        return what in said and f"grant {user} Read" in said

    async with running(consumer) as task:
        for rights, what in ((TOPIC_RIGHTS, "the topic"), (GROUP_RIGHTS, "the group")):
            await eventually(lambda what=what: refuses(what), 60)  # type: ignore[misc]
            assert not task.done()
            await grant(administrator, user, rights)
        await spine.send(message(1))
        await eventually(is_published, 60)
        await eventually(lambda: consumer.heartbeat.failure is None)
    await publisher.stop()


async def test_a_poll_in_the_middle_of_a_rebalance_comes_back(spine: Spine) -> None:
    """As when the broker goes away before the group has settled: the loop has to go on beating."""
    place = TopicPartition(spine.kafka.prefix + CHANNEL_MESSAGES.name, 0)
    consumer = AIOKafkaConsumer(
        place.topic, **spine.kafka.client_arguments(), group_id=f"{spine.kafka.prefix}readers", enable_auto_commit=False
    )
    async with consumer:
        await eventually(lambda: place in consumer.assignment())
        consumer._subscription.begin_reassignment()
        assert await asyncio.wait_for(poll(consumer, [place], 50, 10), 20) == {}


async def test_a_poll_of_no_partitions_hears_what_keeps_the_consumer_out_of_its_group(spine: Spine) -> None:
    """Until somebody hears it, aiokafka does not try again: a replica without partitions would never get any."""
    group = f"{spine.kafka.prefix}readers"
    consumer = AIOKafkaConsumer(**spine.kafka.client_arguments(), group_id=group, enable_auto_commit=False)
    consumer.subscribe([spine.kafka.prefix + CHANNEL_MESSAGES.name])
    async with consumer:
        assert await poll(consumer, [], 50, 10) == {}
        waiting = asyncio.ensure_future(consumer._coordinator._push_error_to_user(GroupAuthorizationFailedError(group)))
        await asyncio.sleep(0)
        with pytest.raises(GroupAuthorizationFailedError):
            await poll(consumer, [], 50, 10)
        await asyncio.wait_for(waiting, 10)


async def test_a_consumer_joins_its_group_anew_after_an_error_that_aiokafka_does_not_get_over(spine: Spine) -> None:
    """As when the broker dies in the middle of a rebalance."""
    consumer = spine.consumer(Route((MessageReceived,), note))

    async def are_published(count: int) -> bool:
        return len(await spine.records(MODERATION_DECISIONS)) == count

    async with running(consumer) as task:
        await spine.send(message(1))
        await eventually(lambda: are_published(1))
        assert consumer._consumer is not None
        await consumer._consumer._coordinator._push_error_to_user(KafkaError("Unexpected error during coordination"))
        await spine.send(message(2))
        await eventually(lambda: are_published(2), 60)
        await eventually(lambda: consumer.heartbeat.failure is None)
        assert not task.done()


@pytest.mark.kafka_only
async def test_a_consumer_waits_while_strangers_hold_its_group(spine: Spine) -> None:
    """Members of a group have to agree on how it shares its partitions; the broker refuses who does not."""
    consumer = spine.consumer(Route((MessageReceived,), note))
    topic = spine.kafka.prefix + CHANNEL_MESSAGES.name

    async def is_published() -> bool:
        return len(await spine.records(MODERATION_DECISIONS)) == 1

    stranger = AIOKafkaConsumer(
        **spine.kafka.client_arguments(),
        group_id=consumer.group,
        enable_auto_commit=False,
        partition_assignment_strategy=(RangePartitionAssignor,),
    )
    stranger.subscribe([topic])
    async with stranger:
        await eventually(lambda: bool(stranger.assignment()), 60)
        async with running(consumer) as task:
            await spine.send(message(1))
            await eventually(lambda: consumer.heartbeat.failure == "InconsistentGroupProtocolError", 60)
            assert not task.done()
            await stranger.stop()
            await eventually(is_published, 60)
            await eventually(lambda: consumer.heartbeat.failure is None)
