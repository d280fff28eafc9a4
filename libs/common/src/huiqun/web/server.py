"""Serve an app inside the event loop of a process that does other things as well."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import ASGIApplication

from huiqun.web.connections import ConnectionGuard, ConnectionLimits

_GRACE_SECONDS: Final = 4
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerOptions:
    """How connections are treated; the addresses and networks of proxies whose X-Forwarded-For is believed."""

    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    trusted_proxies: Sequence[str] = ()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the process has its own, and stops all its parts with them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, host: str, port: int, stop: asyncio.Event, options: ServerOptions | None = None) -> None:
    """Serve until `stop` is set, then finish the requests in hand within 4 s. OSError if the port is taken."""
    options = options or ServerOptions()
    # Bound here because uvicorn would end the process over a port that is taken.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=1024)
    # Connections inherit it. asyncio itself only knows sockets of a named protocol for TCP, which these are not; an
    # answer, whose head and body are written apart, would wait 40 ms for the reader to acknowledge the first of them.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        cast("ASGIApplication", app),
        http=cast("Any", ConnectionGuard(options.connections).protocol),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,  # every request has a line already, with its trace
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        log.info("listening", host=host, port=listening.getsockname()[1])
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopping.cancel()
        if not serving.done():
            serving.cancel()
        listening.close()
