"""Topics that are missing when a service starts are named until they are there, and then read."""

from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from huiqun.contracts.topics import CHANNEL_MEMBERS, TOPICS, dead_letters_of
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import event_record
from huiqun.store import connect
from huiqun.testing.waiting import eventually
from local.stack import Stack
from tests.faults.test_broker_away import has_heard_of, joined
from tests.processes import ServiceProcess, environment_of

READ, WRITTEN = CHANNEL_MEMBERS.name, dead_letters_of("survey").name


async def create(options: KafkaOptions, *names: str) -> None:
    admin = AIOKafkaAdminClient(**options.client_arguments())
    await admin.start()
    try:
        await admin.create_topics([NewTopic(options.prefix + name, 2, 1) for name in names])
    finally:
        await admin.close()


async def test_topics_missing_at_the_start_are_named_until_they_exist_and_then_read(
    stack: Stack, kafka_options: KafkaOptions, database_name: str, tmp_path: Path
) -> None:
    missing = (READ, WRITTEN) if stack.broker.durable else (WRITTEN,)  # Tansu makes one of whatever is asked for
    await create(kafka_options, *(topic.name for topic in TOPICS if topic.name not in missing))
    environment = environment_of(stack, kafka_options.prefix, database_name) | {"HUIQUN_KAFKA_METADATA_AGE_MS": "1000"}
    client, publisher = connect(stack.mongo_url), Publisher(kafka_options)
    async with ServiceProcess("survey", tmp_path, environment) as service:

        async def names(*expected: str) -> bool:
            detail = await service.why_not_ready()
            assert not detail or service.running
            named = [name for name in missing if kafka_options.prefix + name in detail]
            return named == list(expected) and ("huiqun topics create" in detail) is bool(expected)

        await eventually(lambda: names(*missing), 60)
        for number, name in enumerate(missing, 1):
            await create(kafka_options, name)
            await eventually(lambda number=number: names(*missing[number:]))  # type: ignore[misc]
        await eventually(service.is_ready)
        await publisher.publish([event_record(joined(number)) for number in range(20)])
        await eventually(lambda: has_heard_of(client[f"{database_name}_survey"], "g1", 20), 60)
        assert await service.stop() == 0
    await publisher.stop()
    await client.drop_database(f"{database_name}_survey")
    await client.close()
