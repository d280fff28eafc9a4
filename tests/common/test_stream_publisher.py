"""The publisher returns when the broker has everything, in order, and gets over what its producer does not."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from huiqun.contracts.topics import CHANNEL_ACTIONS
from huiqun.kafka.publisher import Record, partition_of
from huiqun.work.retry import is_transient, until_it_passes
from tests.spine import PARTITIONS, Spine

TOPIC = CHANNEL_ACTIONS.name


async def values(spine: Spine, key: bytes) -> list[bytes]:
    return [record.value for record in await spine.records(CHANNEL_ACTIONS) if record.key == key]


async def test_records_of_one_key_stay_in_order_however_large_and_many_they_are(spine: Spine) -> None:
    small = [Record(TOPIC, f"g{number % 7}".encode(), str(number).encode()) for number in range(2_000)]
    large = [Record(TOPIC, b"g0", bytes([65 + number]) * 300_000) for number in range(8)]
    await spine.publisher.publish([*small, *large])
    assert await values(spine, b"g0") == [record.value for record in [*small, *large] if record.key == b"g0"]


async def test_records_have_the_partitions_that_kafkas_own_clients_would_choose(spine: Spine) -> None:
    for key, murmur2 in ((b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)):
        assert partition_of(key, 12) == (murmur2 & 0x7FFFFFFF) % 12
    await spine.publisher.publish([Record(TOPIC, f"g{number}".encode(), b"x") for number in range(50)])
    for record in await spine.records(CHANNEL_ACTIONS):
        assert record.partition == partition_of(record.key, PARTITIONS)


async def test_two_that_publish_at_once_do_not_disturb_each_other(spine: Spine) -> None:
    await spine.publisher.stop()  # so that both find it closed and open it
    mine = [[Record(TOPIC, key, str(number).encode()) for number in range(500)] for key in (b"a", b"b")]
    await asyncio.gather(*(spine.publisher.publish(records) for records in mine))
    for records in mine:
        assert await values(spine, records[0].key or b"") == [record.value for record in records]


@pytest.mark.kafka_only
async def test_a_producer_that_the_broker_refuses_for_good_is_replaced(spine: Spine) -> None:
    """As after a power cut: what this producer counts and what the broker has kept of it do not agree."""
    await spine.publisher.publish([Record(TOPIC, b"g1", b"before")])
    assert spine.publisher._producer is not None
    place = TopicPartition(spine.kafka.prefix + TOPIC, partition_of(b"g1", PARTITIONS))
    spine.publisher._producer._txn_manager.increment_sequence_number(place, 5)

    async def publish() -> None:
        await spine.publisher.publish([Record(TOPIC, b"g1", b"after")])

    with pytest.raises(KafkaError) as refusal:
        await publish()
    assert is_transient(refusal.value)
    await asyncio.wait_for(until_it_passes(publish, name="test"), 10)
    assert await values(spine, b"g1") == [b"before", b"after"]
