"""Motor behind the face of PyMongo's asyncio client: what differs between the two drivers stands here, and only here.

Motor calls PyMongo's blocking client in threads, and for an event loop's sake it has a "framework". Ours is that of
asyncio with threads of its own, so the classes that Motor makes for it are ours too, and get the methods that
PyMongo's asyncio client has otherwise: awaited or not, and opening a cursor at the call instead of when it is read.
"""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, Protocol, TypeVar, cast

from motor import core
from motor.frameworks import asyncio as motors_own
from motor.metaprogramming import create_class_with_framework
from pymongo import AsyncMongoClient

T = TypeVar("T")
# As many as a client has connections to a server: each call waits in a thread of its own.
_THREADS: Final = 100


class _DaemonThreads(Executor):
    """Threads that are started as they are needed, and that a process does not wait for when it ends.

    A call that was cancelled goes on in its thread, against a server that hangs for as long as a socket's timeout.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 - as declared
        """Run the call in a thread that is idle, in a new one, or when one becomes idle."""
        future: Future[T] = Future()
        self._calls.put((future, partial(function, *args, **kwargs)))
        if not self._idle.acquire(blocking=False) and self._started < self._limit:
            self._started += 1
            threading.Thread(target=self._run, name=f"motor {self._started}", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            _resolve(*self._calls.get())
            self._idle.release()


def _resolve(future: Future[T], call: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it is raised where the call is awaited
            future.set_exception(error)
        else:
            future.set_result(result)


_threads: Final = _DaemonThreads(_THREADS)
# Where all of them wait for a server that hangs, a client is closed nonetheless.
_closing: Final = _DaemonThreads(4)


async def _run_in_thread(
    loop: asyncio.AbstractEventLoop, function: Callable[..., T], *args: object, **kwargs: object
) -> T:
    return await loop.run_in_executor(_threads, _within_deadline(function, *args, **kwargs))


def _within_deadline(function: Callable[..., T], *args: object, **kwargs: object) -> Callable[[], T]:
    """A call under the caller's deadline, which the driver keeps in a context variable."""
    return partial(contextvars.copy_context().run, function, *args, **kwargs)


class _Framework:
    """What Motor asks of an event loop: its own answers for asyncio, and our threads, whose calls are coroutines."""

    CLASS_PREFIX = motors_own.CLASS_PREFIX
    get_event_loop = staticmethod(asyncio.get_event_loop)
    platform_info = staticmethod(motors_own.platform_info)
    pymongo_class_wrapper = staticmethod(motors_own.pymongo_class_wrapper)
    run_on_executor = staticmethod(_run_in_thread)


class _Motor(Protocol):
    """What every object of Motor has."""

    delegate: Any

    def get_io_loop(self) -> asyncio.AbstractEventLoop: ...

    def wrap(self, made: object) -> object: ...


def _awaited(method: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    """A method that is awaited although there is nothing to wait for."""

    async def call(*args: object, **kwargs: object) -> T:
        return method(*args, **kwargs)

    return call


async def _to_list(cursor: core.AgnosticBaseCursor[Any], length: int | None = None) -> list[Any]:
    listed: list[Any] = []
    async for document in cursor:
        listed.append(document)
        if len(listed) == length:
            break
    return listed


def _opening(method: str) -> Callable[..., Awaitable[object]]:
    """A method that sends its command at the call, and returns a cursor."""

    async def open_cursor(target: _Motor, *args: object, **kwargs: object) -> object:
        return target.wrap(await getattr(target, method)(*args, **kwargs))

    return open_cursor


def _watching(watch: Callable[..., core.AgnosticChangeStream[Any]]) -> Callable[..., Awaitable[object]]:
    """A method that opens a stream of changes at the call."""

    async def open_stream(target: _Motor, *args: object, **kwargs: object) -> object:
        stream = watch(target, *args, **kwargs)
        await _run_in_thread(target.get_io_loop(), stream._lazy_init)  # noqa: SLF001 - Motor does it at the first reading
        return stream

    return open_stream


def _start_session(client: _Motor, *args: object, **kwargs: object) -> object:
    return client.wrap(client.delegate.start_session(*args, **kwargs))


async def _end_session(session: core.AgnosticClientSession, *_: object) -> None:
    await session.end_session()


async def _enter(client: _Motor) -> _Motor:
    return client


async def _close(client: _Motor, *_: object) -> None:
    """Tell the server in a thread: Motor would keep the event loop waiting."""
    await client.get_io_loop().run_in_executor(_closing, _within_deadline(client.delegate.close))


def _made(kind: type[T], **methods: Callable[..., object]) -> type[T]:
    """Motor's class for our framework, with the methods that PyMongo's asyncio client has otherwise."""
    made = create_class_with_framework(kind, _Framework, __name__)
    for name, method in methods.items():
        setattr(made, name, method)
    return made


_Client = _made(
    core.AgnosticClient,
    start_session=_start_session,
    watch=_watching(core.AgnosticClient.watch),
    close=_close,
    __aenter__=_enter,
    __aexit__=_close,
)
_made(
    core.AgnosticClientSession,
    start_transaction=_awaited(core.AgnosticClientSession.start_transaction),
    __aexit__=_end_session,
)
_made(
    core.AgnosticDatabase,
    aggregate=_opening("_async_aggregate"),
    watch=_watching(core.AgnosticDatabase.watch),
)
_made(
    core.AgnosticCollection,
    aggregate=_opening("_async_aggregate"),
    list_indexes=_opening("_async_list_indexes"),
    list_search_indexes=_opening("_async_list_search_indexes"),
    watch=_watching(core.AgnosticCollection.watch),
)
_made(core.AgnosticCursor, to_list=_to_list, rewind=_awaited(core.AgnosticCursor.rewind))
_made(core.AgnosticCommandCursor, to_list=_to_list)


def motor_client(url: str, arguments: Mapping[str, Any]) -> AsyncMongoClient[dict[str, Any]]:
    """A client of Motor, to be used as one of PyMongo."""
    return cast("AsyncMongoClient[dict[str, Any]]", _Client(url, **arguments))
