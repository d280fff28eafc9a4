"""Room for work of the processor: beside the event loop, a piece at a time, and no more than can wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, ParamSpec, TypeVar

from fastapi import Depends
from starlette.requests import Request

from huiqun.web.limits import quota_owner_of
from huiqun.web.problems import RETRY_AT_ONCE, Problem
from huiqun.web.provided import provisions_of

P = ParamSpec("P")
T = TypeVar("T")
# The interpreter lets one thread compute at a time: a second would only take more from the one that judges messages.
_AT_ONCE: Final = 1
_MOST_OF_A_CALLER: Final = 8
_MOST: Final = 32
_LONGEST_WAIT_SECONDS: Final = 20.0
_LONGEST_REST_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Queue:
    """What a caller has in hand: one piece of it at a time stands in line with the others'."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    pieces: int = 0


class ComputeQueue:
    """Runs functions in a thread, one after the other, in turn for each caller."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._queues: dict[str, _Queue] = {}

    async def run(self, who: str, work: Callable[[], T]) -> T:
        """Run `work` as soon as there is room; Problem 429 if this caller waits for too much already, 503 if all do."""
        queue = self._queues.get(who) or _Queue()
        if queue.pieces >= _MOST_OF_A_CALLER:
            detail = f"{_MOST_OF_A_CALLER} requests of yours are being worked on; wait for one of them."
            raise Problem(429, "too-many-at-once", detail, headers=RETRY_AT_ONCE)
        if sum(each.pieces for each in self._queues.values()) >= _MOST:
            raise _full()
        self._queues[who] = queue
        queue.pieces += 1
        try:
            return await self._in_turn(queue, work)
        finally:
            queue.pieces -= 1
            if not queue.pieces:
                del self._queues[who]

    async def _in_turn(self, queue: _Queue, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS) as waiting:
                async with queue.turn:
                    await self._room.acquire()
                    waiting.reschedule(None)  # what has begun is finished
                    return await self._work(work)
        except TimeoutError:
            if waiting.expired():
                raise _full() from None
            raise

    async def _work(self, work: Callable[[], T]) -> T:
        """Give the room back only when it has rested as long as it worked, so that messages catch up meanwhile."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            return await asyncio.to_thread(work)
        finally:
            loop.call_later(min(loop.time() - started, _LONGEST_REST_SECONDS), self._room.release)


@dataclass(frozen=True, slots=True)
class Offload:
    """The room, for one request. An endpoint asks for `offload: Offloaded` and awaits `offload(function, ...)`."""

    queue: ComputeQueue
    who: str

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function beside the event loop; Problem 429 or 503 if there is no room."""
        return await self.queue.run(self.who, lambda: work(*args, **kwargs))


def offload(request: Request) -> Offload:
    """Room for whoever sent the request."""
    return Offload(provisions_of(request).get(ComputeQueue), quota_owner_of(request))


Offloaded = Annotated[Offload, Depends(offload)]


def _full() -> Problem:
    return Problem(503, "busy", "Others are being worked on; try again.", headers=RETRY_AT_ONCE)
