"""Moderation at work on servers of its own, which a scenario stops, freezes and cuts off."""

import os
import random
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

from huiqun.contracts.channel import MessageReceived
from huiqun.store import Database, OutsideTransaction
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from huiqun.web import create_api_key
from local.proxy import Proxy
from local.stack import Stack
from tests.faults.invariants import TEXTS
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of
from tests.soak.model import Soak

READ: Final = "/api/v1/lexicon/lists"
_ASSIGNED: Final = "Setting newly assigned partitions {"


@dataclass(frozen=True)
class Site:
    """The servers, a proxy before the broker, and the replicas of moderation; `sent` is what they were given."""

    stack: Stack
    proxy: Proxy
    rig: Rig
    state: Database
    replicas: Sequence[ServiceProcess]
    key: str
    sent: list[MessageReceived]
    _numbers: Iterator[int]

    async def send(self, number: int) -> None:
        """Put so many messages of twenty groups on the topic."""
        chance = random.Random(len(self.sent))
        taken = [next(self._numbers) for _ in range(number)]
        fresh = [
            message_received(n, f"g{n % 20}", f"u{chance.randrange(50)}", chance.choice(TEXTS), NOON) for n in taken
        ]
        await self.rig.broker.send(*fresh)
        self.sent.extend(fresh)

    async def judged(self) -> int:
        """How many messages have a verdict."""
        return int(await self.state["messages"].count_documents({}))

    async def statuses(self) -> str:
        """What the first replica answers about its health, readiness and to a read."""
        first = self.replicas[0]
        answers = {path: await first.get(path, self.key) for path in ("/healthz", "/readyz", READ)}
        return " ".join(f"{path} {answer.status_code if answer else 'nothing'}" for path, answer in answers.items())

    async def is_ready(self) -> bool:
        """Whether all replicas are."""
        return all([await replica.is_ready() for replica in self.replicas])

    def joins(self) -> list[int]:
        """How often each replica has been given partitions."""
        return [replica.log.count(_ASSIGNED) for replica in self.replicas]


@asynccontextmanager
async def at_work(soak: Soak, replicas: int = 1) -> AsyncIterator[Site]:
    """Replicas of moderation, ready."""
    async with AsyncExitStack() as opened:
        proxy = await opened.enter_async_context(Proxy())
        stack = await opened.enter_async_context(Stack(advertise=proxy.port))
        proxy.target = stack.broker.port
        environment = environment_of(stack, "soak.", "soak")
        rig = await opened.enter_async_context(
            Rig.open(stack.mongo_url, "soak", HANDLED_INDEXES, kafka=kafka_options_of(stack, "soak."))
        )
        state = rig.client["soak_moderation"]
        processes = [
            await opened.enter_async_context(
                ServiceProcess("moderation", soak.directory, environment, roles="streams,tasks,api")
            )
            for _ in range(replicas)
        ]
        for process in processes:
            await eventually(process.is_ready, 120)
        key = await create_api_key(OutsideTransaction(state), "soak", ["operator"])
        soak.report(f"{replicas} of moderation ready")
        yield Site(stack, proxy, rig, state, processes, key, [], count())


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process where it is, and let it go on at the end of the context."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
