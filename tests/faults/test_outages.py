"""A server goes away for ten seconds under load and comes back: the process waits, and nobody restarts it."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from huiqun.contracts.channel import MessageReceived
from huiqun.store import Database
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from local.proxy import Proxy
from local.stack import Stack
from tests.faults.invariants import TEXTS, check_invariants, has_judged, wait_until_judged
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of

OUTAGE_SECONDS = 10.0


@dataclass(frozen=True)
class Site:
    """A stack that the test may break, and moderation at work on it."""

    stack: Stack
    rig: Rig
    state: Database
    moderation: ServiceProcess


@asynccontextmanager
async def at_work(stack: Stack, directory: Path) -> AsyncIterator[Site]:
    """Moderation on `stack`, ready; the test stops it when all is settled."""
    environment = environment_of(stack, "faults.", "faults")
    moderation = ServiceProcess("moderation", directory, environment)
    async with (
        Rig.open(stack.mongo_url, "faults", HANDLED_INDEXES, kafka=kafka_options_of(stack, "faults.")) as rig,
        moderation,
    ):
        await eventually(moderation.is_ready)
        yield Site(stack, rig, rig.client["faults_moderation"], moderation)


def messages(count: int, first: int = 0) -> list[MessageReceived]:
    chance = random.Random(first)
    numbers = range(first, first + count)
    return [message_received(n, f"g{n % 20}", f"u{chance.randrange(50)}", chance.choice(TEXTS), NOON) for n in numbers]


async def outlast(site: Site) -> None:
    """Let the outage last, while the process stays up and says that it is not ready."""
    deadline = time.monotonic() + OUTAGE_SECONDS
    await eventually(lambda: is_not_ready(site), 10)
    while time.monotonic() < deadline:
        assert site.moderation.running
        assert not await site.moderation.is_ready()
        await asyncio.sleep(0.2)


async def is_not_ready(site: Site) -> bool:
    return not await site.moderation.is_ready()


async def recover(site: Site, sent: Sequence[MessageReceived]) -> None:
    """All is judged and published, the process is the same one and ready."""
    await wait_until_judged(site.state, sent)
    await eventually(site.moderation.is_ready)
    assert await site.moderation.stop() == 0
    await check_invariants(site.rig, site.state, sent)
    assert "Transaction numbers" not in site.moderation.log


async def test_the_store_goes_away_and_comes_back(own_stack: Stack, tmp_path: Path) -> None:
    sent = messages(4000)
    async with at_work(own_stack, tmp_path) as site:
        await site.rig.broker.send(*sent[:3000])
        await eventually(lambda: has_judged(site.state, 500))
        await own_stack.mongod.kill()
        await site.rig.broker.send(*sent[3000:3500])
        await outlast(site)
        await own_stack.mongod.start()
        await site.rig.broker.send(*sent[3500:])
        await recover(site, sent)


async def test_the_store_stands_still_and_two_replicas_go_on_where_they_were(own_stack: Stack, tmp_path: Path) -> None:
    """It answers nothing, but loses nothing: open transactions are those of living processes."""
    sent = messages(4000)
    async with at_work(own_stack, tmp_path) as site:
        second = ServiceProcess("moderation", tmp_path, environment_of(own_stack, "faults.", "faults"))
        async with second:
            await eventually(second.is_ready, 60)
            await site.rig.broker.send(*sent)
            await eventually(lambda: has_judged(site.state, 300), 60)
            os.kill(own_stack.mongod.process.pid, signal.SIGSTOP)
            await outlast(site)
            os.kill(own_stack.mongod.process.pid, signal.SIGCONT)
            await wait_until_judged(site.state, sent)
            assert await second.stop() == 0
            assert "abandoned_transactions_ended" not in second.log + site.moderation.log
        await recover(site, sent)


async def test_the_network_to_the_broker_is_cut_and_mended(proxy: Proxy, tmp_path: Path) -> None:
    sent = messages(4000)
    async with Stack(advertise=proxy.port) as stack:
        proxy.target = stack.broker.port
        async with at_work(stack, tmp_path) as site:
            await site.rig.broker.send(*sent[:3500])
            await eventually(lambda: has_judged(site.state, 500))
            proxy.cut()
            await outlast(site)
            await proxy.resume()
            await site.rig.broker.send(*sent[3500:])
            await recover(site, sent)


@pytest.mark.kafka_only
async def test_the_broker_is_killed_and_started_again(own_stack: Stack, tmp_path: Path) -> None:
    sent = messages(4000)
    async with at_work(own_stack, tmp_path) as site:
        await site.rig.broker.send(*sent[:3500])
        await eventually(lambda: has_judged(site.state, 500))
        await own_stack.broker.kill()
        await outlast(site)
        await own_stack.broker.start()
        await site.rig.broker.send(*sent[3500:])
        await recover(site, sent)
