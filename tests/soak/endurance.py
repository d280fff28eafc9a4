"""What must not change with time alone: readiness, memory, how a start ends."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from local.mongod import Mongod
from local.stack import Stack
from tests.faults.invariants import wait_until_judged
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of
from tests.soak.model import Scenario, Soak
from tests.soak.site import READ, at_work

_WELL: Final = f"/healthz 200 /readyz 200 {READ} 200"
_MESSAGES_A_SECOND: Final = 100
_WARM_UP: Final = 10_000
_MOST_GROWTH: Final = 1.15
_MEGABYTE: Final = 1024 * 1024


async def leave_idle(soak: Soak) -> None:
    """A10 (3): a topic on which nothing happens is no sign of a consumer that hangs."""
    async with at_work(soak) as site:

        async def look() -> str:
            seen = await site.statuses()
            assert seen == _WELL, seen
            return seen

        await soak.watch("nothing is sent", look)
        await site.send(100)
        await wait_until_judged(site.state, site.sent)


async def hold_memory(soak: Soak) -> None:
    """A steady load leaves nothing behind in the process. The first third of the time is for warming up."""
    async with at_work(soak) as site:
        await site.send(_WARM_UP)
        await wait_until_judged(site.state, site.sent)
        (replica,) = site.replicas
        started, sizes = time.monotonic(), list[tuple[float, int]]()

        async def look() -> str:
            passed = time.monotonic() - started
            await site.send(max(round(passed * _MESSAGES_A_SECOND) - (len(site.sent) - _WARM_UP), 0))
            sizes.append((passed, resident(replica.pid)))
            return f"{sizes[-1][1] / _MEGABYTE:.0f} MiB after {len(site.sent):,} messages"

        await soak.watch(f"{_MESSAGES_A_SECOND} messages a second", look)
        await wait_until_judged(site.state, site.sent)
        warm = max(size for passed, size in sizes if passed <= soak.seconds / 3)
        last = sizes[-1][1]
        assert last <= warm * _MOST_GROWTH, f"{warm / _MEGABYTE:.0f} MiB became {last / _MEGABYTE:.0f} MiB"


def resident(pid: int) -> int:
    """The memory of a process in bytes."""
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


async def start_again_and_again(soak: Soak) -> None:
    """A08: on empty disks, with the service started first, in as many rounds as there is time for."""
    rounds = 0

    async def look() -> str:
        nonlocal rounds
        rounds += 1
        directory = soak.directory / str(rounds)
        await asyncio.to_thread(directory.mkdir)
        await start_once(directory)
        return f"{rounds} starts"

    await soak.watch("starting on empty disks", look)


async def start_once(directory: Path) -> None:
    """Start the service, the store and its replica set in this order."""
    async with Stack(directory) as stack:
        mongod = Mongod(directory / "fresh")
        environment = {**environment_of(stack, "soak.", "soak"), "HUIQUN_MONGO_URL": mongod.url}
        async with Rig.open(stack.mongo_url, "soak", HANDLED_INDEXES, kafka=kafka_options_of(stack, "soak.")):
            async with ServiceProcess("survey", directory, environment) as service:
                await mongod.start_standalone()
                await mongod.initiate_replica_set()
                await eventually(service.is_ready, 60)
                assert await service.stop() == 0
            assert "Transaction numbers" not in service.log
        await mongod.kill()


ENDURANCE: Sequence[Scenario] = (
    Scenario("A10-3", "an idle topic is no sign of a consumer that hangs", 1_800, leave_idle),
    Scenario("A08", "a service that is started before its store becomes ready each time", 120, start_again_and_again),
    Scenario("memory", "a steady load leaves nothing behind in the process", 3_600, hold_memory),
)
