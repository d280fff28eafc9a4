"""MongoDB answers before it is of use: as a standalone, or as a replica set that nobody has initiated yet."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from huiqun.kafka import KafkaOptions
from huiqun.kafka.topics import create_topics
from huiqun.service.connections import prepare_connections
from huiqun.service.settings import ServiceSettings
from huiqun.testing.waiting import eventually
from huiqun.work import Work
from local.mongod import Mongod
from local.stack import Stack
from tests.processes import ServiceProcess, environment_of

ROUNDS = 3


@pytest.mark.parametrize("options", ["", "?replicaSet=rs0"])
async def test_a_standalone_is_named_in_one_sentence_and_waited_for(
    stack: Stack, topic_prefix: str, options: str, tmp_path: Path
) -> None:
    mongod = Mongod(tmp_path, replica_set=False)
    await mongod.start_standalone()
    url = f"mongodb://127.0.0.1:{mongod.port}/{options}"
    environment = {**environment_of(stack, topic_prefix, "alone"), "HUIQUN_MONGO_URL": url}
    async with ServiceProcess("survey", tmp_path, environment) as service:

        async def is_named() -> bool:
            return "is a standalone server" in await service.why_not_ready()

        await eventually(is_named, 60)
        said = await service.why_not_ready()
        for expected in ("--replSet", "rs.initiate()"):
            assert expected in said
        assert "is a standalone server" in service.log
        answer = await service.get("/healthz")
        assert (answer is not None and answer.status_code, service.running) == (200, True)
        assert "Transaction numbers" not in service.log
        assert "Traceback" not in service.log
        assert await service.stop() == 0
    await mongod.kill()


async def test_a_service_that_starts_before_the_replica_set_is_initiated_waits_for_it(
    stack: Stack, kafka_options: KafkaOptions, tmp_path: Path
) -> None:
    await create_topics(kafka_options, partitions=2, replication=1)
    mongod = Mongod(tmp_path)
    await mongod.start_standalone()
    environment = {**environment_of(stack, kafka_options.prefix, "early"), "HUIQUN_MONGO_URL": mongod.url}
    async with ServiceProcess("survey", tmp_path, environment) as service:
        await eventually(lambda: "rs.initiate()" in service.log, 60)
        assert not await service.is_ready()
        await mongod.initiate_replica_set()
        await eventually(service.is_ready, 60)
        assert "Traceback" not in service.log
        assert await service.stop() == 0
    await mongod.kill()


async def test_connections_made_while_the_replica_set_is_initiated_write_at_once(
    stack: Stack, kafka_options: KafkaOptions, tmp_path: Path
) -> None:
    """However the two are timed; `make soak` has more rounds of it."""

    async def note(work: Work) -> None:
        await work.collection("notes").insert_one({"_id": "kept"})

    async def connect_and_note(mongod: Mongod) -> None:
        settings = ServiceSettings(
            mongo_url=mongod.url,
            kafka_bootstrap=stack.bootstrap,
            kafka_idempotent=kafka_options.idempotent,
            hash_key=SecretStr("a key of these tests"),
            link_key=SecretStr("a third key of these tests"),
            encryption_key=SecretStr("another key of these tests"),
        )
        async with prepare_connections("survey", settings, {"notes": ()}) as connected:
            await connected.transactor.run(note)

    for number in range(ROUNDS):
        mongod = Mongod(tmp_path / str(number))
        connecting = asyncio.create_task(connect_and_note(mongod))
        await mongod.start_standalone()
        await mongod.initiate_replica_set()
        await asyncio.wait_for(connecting, 60)
        await mongod.kill()
