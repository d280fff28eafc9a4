"""Connections that ask slowly, read slowly or come in crowds are closed, so that they keep nobody else waiting."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, cast

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from huiqun.web.limits import client_network_of

_BODY: Final = b'{"type":"urn:huiqun:problem:busy","title":"Busy","status":503,"detail":"Too many connections."}'
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"
    b"Retry-After: 1\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%b"
) % (len(_BODY), _BODY)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """How many connections are held, in all and from one address; how long a request's head may take to arrive, and
    how long a reader may take nothing of its answer, in seconds."""

    most: int = 1_000
    most_of_address: int = 500
    head_seconds: float = 10.0
    stalled_seconds: float = 30.0


class ConnectionGuard:
    """Watches over the connections of one server."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count a connection, unless there are too many."""
        limits = self.limits
        if self._open.total() >= limits.most or self._open[address] >= limits.most_of_address:
            return False
        self._open[address] += 1
        return True

    def release(self, address: str) -> None:
        """A connection has ended."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "GuardedProtocol":
        """What uvicorn makes for each connection."""
        made = GuardedProtocol(config, server_state, app_state, _loop)
        made.guard = self
        return made


class GuardedProtocol(H11Protocol):
    """uvicorn's protocol with the timeouts that it lacks."""

    guard: ConnectionGuard
    _counted: str | None = None
    _head: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or say that there are too many."""
        address = client_network_of({"client": transport.get_extra_info("peername")})
        if not self.guard.admit(address):
            transport.write(_FULL)
            transport.close()
            self.transport = transport
            return
        self._counted = address
        super().connection_made(transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        for timer in (self._head, self._stalled):
            if timer is not None:
                timer.cancel()
        if self._counted is not None:
            self.guard.release(self._counted)
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request."""
        if self._counted is not None:
            super().data_received(data)
            self._watch_head()

    def eof_received(self) -> None:
        """Leave it to the transport, which closes."""

    def shutdown(self) -> None:
        """Close when the answer in hand is sent."""
        if self._counted is not None:
            super().shutdown()

    def pause_writing(self) -> None:
        """Wait for the reader, but not for ever."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.guard.limits.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the reader has taken something."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _watch_head(self) -> None:
        """Keep time from the first byte, or the connection, until the head of a request is there."""
        cycle = cast("Any", self.cycle)
        answered = cycle is None or cycle.response_complete
        if not answered and self._head is not None:
            self._head.cancel()
            self._head = None
        elif answered and self._head is None and self.timeout_keep_alive_task is None:
            self._head = self.loop.call_later(self.guard.limits.head_seconds, self.transport.abort)
