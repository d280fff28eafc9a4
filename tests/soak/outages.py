"""Servers that are away for minutes."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from huiqun.testing.waiting import eventually
from tests.faults.invariants import check_invariants, wait_until_judged
from tests.soak.model import Scenario, Soak
from tests.soak.site import READ, Site, at_work, frozen

_ALIVE_THOUGH_NOT_READY: Final = f"/healthz 200 /readyz 503 {READ} 200"
# Of two replicas: both may be given partitions anew when one of them is thought to be gone, and when it is back.
_MOST_JOINS: Final = 8


async def block_store(soak: Soak) -> None:
    """S04: two consumers keep their partitions while a batch waits for the store, and go on when it answers."""
    async with at_work(soak, replicas=2) as site:
        await eventually(lambda: min(site.joins()) >= 1, 60)
        await site.send(6_000)
        await eventually(lambda: has_judged(site, 500), 60)
        joins = sum(site.joins())

        async def look() -> str:
            assert all(replica.running for replica in site.replicas), "a replica has ended"
            health = [await replica.get("/healthz") for replica in site.replicas]
            assert all(answer is not None and answer.status_code == 200 for answer in health), "a replica is not alive"
            return f"{sum(site.joins()) - joins} joins since the store was frozen"

        with frozen(site.stack.mongod.process.pid):
            await soak.watch("the store is frozen", look)
        released, before = time.monotonic(), await site.judged()
        await eventually(lambda: has_judged(site, min(before + 1, len(site.sent))), 30)
        soak.report(f"progress {time.monotonic() - released:.1f} s after the release")
        await site.send(500)
        await wait_until_judged(site.state, site.sent)
        await eventually(site.is_ready, 60)
        rejoined = sum(site.joins()) - joins
        assert rejoined <= _MOST_JOINS, f"{rejoined} joins"
        await check_invariants(site.rig, site.state, site.sent)


async def stop_broker(soak: Soak) -> None:
    """S08: the API answers while the broker is away, and a hundred messages are judged when it is back."""
    async with at_work(soak) as site:
        await site.send(100)
        await wait_until_judged(site.state, site.sent)
        async with broker_away(site):
            await eventually(lambda: is_alive_though_not_ready(site), 60)
            await soak.watch("the broker is away", lambda: alive_though_not_ready(site))
        await site.send(100)
        await wait_until_judged(site.state, site.sent)
        await eventually(site.is_ready, 60)
        await check_invariants(site.rig, site.state, site.sent)


async def freeze_broker(soak: Soak) -> None:
    """A10 (1): a broker that takes connections and answers nothing is no reason to restart anything."""
    async with at_work(soak) as site:
        with frozen(site.stack.broker.process.pid):
            await eventually(lambda: is_alive_though_not_ready(site), 60)
            await soak.watch("the broker is frozen", lambda: alive_though_not_ready(site))
        await site.send(100)
        await wait_until_judged(site.state, site.sent)
        await eventually(site.is_ready, 60)


@asynccontextmanager
async def broker_away(site: Site) -> AsyncIterator[None]:
    """The broker is gone for the context; one that keeps nothing is cut off instead, or its topics would be gone."""
    broker = site.stack.broker
    site.proxy.cut()
    if broker.durable:
        await broker.stop()
    yield
    if broker.durable:
        await broker.start()
    await site.proxy.resume()


async def alive_though_not_ready(site: Site) -> str:
    """Look at what the process says of itself."""
    seen = await site.statuses()
    assert seen == _ALIVE_THOUGH_NOT_READY, seen
    return seen


async def is_alive_though_not_ready(site: Site) -> bool:
    return await site.statuses() == _ALIVE_THOUGH_NOT_READY


async def has_judged(site: Site, number: int) -> bool:
    return await site.judged() >= number


OUTAGES: Sequence[Scenario] = (
    Scenario("S04", "a store that is blocked in the middle of a batch hands nothing to and fro", 480, block_store),
    Scenario("S08", "the API answers while the broker is away, and reading goes on", 180, stop_broker),
    Scenario("A10-1", "a frozen broker restarts nothing", 300, freeze_broker),
)
