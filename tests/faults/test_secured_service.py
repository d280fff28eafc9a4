"""Moderation on servers that want to know who it is, with a user who may do no more than it needs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from local.mongod import Mongod
from local.secured_mongod import SecuredMongod
from local.stack import Stack
from tests.processes import ServiceProcess, environment_of

PREFIX = "secured"


@dataclass(frozen=True)
class Site:
    """A secured MongoDB, and the environment of a service that signs in there and, on Apache Kafka, at the broker."""

    mongod: Mongod
    secured: SecuredMongod
    environment: dict[str, str]


@pytest_asyncio.fixture
async def site(stack: Stack, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Site]:
    secured = SecuredMongod.make(tmp_path / "tls", f"{PREFIX}_moderation", f"{PREFIX}_survey")
    mongod = Mongod(tmp_path, secured)
    await mongod.start()
    broker = stack.secured.environment("SASL_SSL") if stack.secured else {}
    environment = {**environment_of(stack, topic_prefix, PREFIX), **secured.environment(mongod.url), **broker}
    yield Site(mongod, secured, environment)
    await mongod.kill()


async def set_password(site: Site, password: str) -> None:
    """Change the user's password, as an administrator does on the server."""
    address = site.mongod.url
    async with AsyncMongoClient[dict[str, object]](
        address, username="root", password=site.secured.password, **site.secured.tls
    ) as client:
        await client.admin.command("updateUser", site.secured.user, pwd=password)


async def test_moderation_does_its_work_on_secured_servers(rig: Rig, site: Site, tmp_path: Path) -> None:
    sent = [message_received(number, f"g{number % 5}", sent_at=NOON) for number in range(50)]
    await rig.broker.send(*sent)
    async with (
        AsyncMongoClient[dict[str, object]](
            site.mongod.url, username="root", password=site.secured.password, **site.secured.tls
        ) as administrator,
        ServiceProcess("moderation", tmp_path, {**site.environment, "HUIQUN_LOG_LEVEL": "DEBUG"}) as moderation,
    ):
        messages = administrator[f"{PREFIX}_moderation"]["messages"]

        async def all_judged() -> bool:
            return await messages.count_documents({}) == len(sent)

        await eventually(all_judged, 120)
        await eventually(moderation.is_ready)
        assert await moderation.stop() == 0
        assert site.secured.password not in moderation.log


@pytest.mark.usefixtures("rig")
async def test_a_wrong_password_is_waited_for_and_mended_without_a_restart(site: Site, tmp_path: Path) -> None:
    await set_password(site, "another")
    async with ServiceProcess("survey", tmp_path, site.environment) as survey:

        async def is_told() -> bool:
            return "HUIQUN_MONGO_PASSWORD" in await survey.why_not_ready()

        await eventually(is_told, 60)
        answer = await survey.get("/healthz")
        assert (answer is not None and answer.status_code, survey.running) == (200, True)
        assert "Traceback" not in survey.log
        assert site.secured.password not in survey.log
        await set_password(site, site.secured.password)
        await eventually(survey.is_ready, 120)
        assert survey.log.count("HUIQUN_MONGO_PASSWORD") < 20
        assert await survey.stop() == 0
