"""The publisher returns when the broker has everything, in order, and gets over what its producer does not."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from huiqun.contracts.topics import CHANNEL_ACTIONS
from huiqun.kafka.publisher import Record, choose_partition
from huiqun.testing.broker import PARTITIONS
from huiqun.testing.rig import Rig
from huiqun.work.retry import is_transient, retry_forever

TOPIC = CHANNEL_ACTIONS.name


async def values(rig: Rig, key: bytes) -> list[bytes]:
    return [record.value for record in await rig.broker.records(CHANNEL_ACTIONS) if record.key == key]


async def test_records_of_one_key_stay_in_order_however_large_and_many_they_are(rig: Rig) -> None:
    small = [Record(TOPIC, f"g{number % 7}".encode(), str(number).encode()) for number in range(2_000)]
    large = [Record(TOPIC, b"g0", bytes([65 + number]) * 300_000) for number in range(8)]
    await rig.broker.publisher.publish([*small, *large])
    assert await values(rig, b"g0") == [record.value for record in [*small, *large] if record.key == b"g0"]


async def test_records_have_the_partitions_that_kafkas_own_clients_would_choose(rig: Rig) -> None:
    for key, murmur2 in ((b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)):
        assert choose_partition(key, 12) == (murmur2 & 0x7FFFFFFF) % 12
    await rig.broker.publisher.publish([Record(TOPIC, f"g{number}".encode(), b"x") for number in range(50)])
    for record in await rig.broker.records(CHANNEL_ACTIONS):
        assert record.partition == choose_partition(record.key, PARTITIONS)


async def test_two_that_publish_at_once_do_not_disturb_each_other(rig: Rig) -> None:
    await rig.broker.publisher.stop()  # so that both find it closed and open it
    mine = [[Record(TOPIC, key, str(number).encode()) for number in range(500)] for key in (b"a", b"b")]
    await asyncio.gather(*(rig.broker.publisher.publish(records) for records in mine))
    for records in mine:
        assert await values(rig, records[0].key or b"") == [record.value for record in records]


@pytest.mark.kafka_only
async def test_a_producer_that_the_broker_refuses_for_good_is_replaced(rig: Rig) -> None:
    """As after a power cut: what this producer counts and what the broker has kept of it do not agree."""
    await rig.broker.publisher.publish([Record(TOPIC, b"g1", b"before")])
    assert rig.broker.publisher._producer is not None
    place = TopicPartition(rig.broker.options.prefix + TOPIC, choose_partition(b"g1", PARTITIONS))
    rig.broker.publisher._producer._txn_manager.increment_sequence_number(place, 5)

    async def publish() -> None:
        await rig.broker.publisher.publish([Record(TOPIC, b"g1", b"after")])

    with pytest.raises(KafkaError) as refusal:
        await publish()
    assert is_transient(refusal.value)
    await asyncio.wait_for(retry_forever(publish, name="test"), 10)
    assert await values(rig, b"g1") == [b"before", b"after"]
