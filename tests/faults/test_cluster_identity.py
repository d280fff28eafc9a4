"""A broker that was down keeps records and offsets, refuses another cluster's data, and is reached on both sides."""

from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient

from huiqun.contracts.topics import CHANNEL_ACTIONS
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import Record
from huiqun.kafka.topics import create_topics
from huiqun.testing.broker import read_topic
from huiqun.testing.waiting import eventually
from local.apache_kafka import CLUSTER_ID, ApacheKafka
from local.errors import ServerFailedError
from local.stack import Stack
from tests.processes import ServiceProcess, environment_of
from tests.servers import kafka_options_of

pytestmark = [pytest.mark.broker, pytest.mark.kafka_only]

OTHER_CLUSTER = "b3RoZXItY2x1c3Rlci1pZA"


async def publish(options: KafkaOptions, *values: bytes) -> None:
    publisher = Publisher(options)
    await publisher.publish([Record(CHANNEL_ACTIONS.name, b"g1", value) for value in values])
    await publisher.stop()


async def committed(options: KafkaOptions, offset: int | None = None) -> int | None:
    """What a group has acknowledged, after it has acknowledged `offset` if that is given."""
    place = TopicPartition(options.prefix + CHANNEL_ACTIONS.name, 0)
    async with AIOKafkaConsumer(
        **options.client_arguments(), group_id=f"{options.prefix}readers", enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        if offset is not None:
            await consumer.commit({place: offset})
        found: int | None = await consumer.committed(place)
        return found


async def test_a_broker_keeps_its_data_and_refuses_to_start_on_another_clusters(
    own_stack: Stack, tmp_path: Path
) -> None:
    options = kafka_options_of(own_stack, "identity.")
    await create_topics(options, partitions=1, replication=1)
    await publish(options, b"a", b"b", b"c")
    assert await committed(options, 2) == 2
    environment = environment_of(own_stack, options.prefix, "identity")
    async with ServiceProcess("survey", tmp_path, environment) as service:
        await eventually(service.is_ready, 60)
        await own_stack.broker.stop()
        with pytest.raises(ServerFailedError) as refusal:
            await ApacheKafka(own_stack.directory, cluster_id=OTHER_CLUSTER).start()
        for expected in (CLUSTER_ID, OTHER_CLUSTER):
            assert expected in str(refusal.value)
        assert not await service.is_ready()
        await own_stack.broker.start()
        await eventually(service.is_ready, 60)
        assert "Traceback" not in service.log
        assert await service.stop() == 0
    assert [record.value for record in await read_topic(options, CHANNEL_ACTIONS, 1)] == [b"a", b"b", b"c"]
    assert await committed(options) == 2


async def test_each_listener_sends_its_clients_to_itself_and_both_read_and_write(
    stack: Stack, kafka_options: KafkaOptions
) -> None:
    assert stack.secured is not None
    listener = stack.secured.bootstrap("SASL_PLAINTEXT")
    outside = replace(kafka_options, bootstrap=listener, security=stack.secured.security("SASL_PLAINTEXT"))
    await create_topics(kafka_options, partitions=1, replication=1)
    for options in (kafka_options, outside):
        client = AIOKafkaClient(**options.client_arguments())
        await client.bootstrap()
        assert [f"{broker.host}:{broker.port}" for broker in client.cluster.brokers()] == [options.bootstrap]
        await client.close()
    await publish(kafka_options, b"from inside")
    await publish(outside, b"from outside")
    for options in (kafka_options, outside):
        found = [record.value for record in await read_topic(options, CHANNEL_ACTIONS, 1)]
        assert found == [b"from inside", b"from outside"]
