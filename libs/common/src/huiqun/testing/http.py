"""A service's interface on a port of its own, and clients with API keys of the roles that a test asks as."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
from fastapi import FastAPI

from huiqun.runtime.ids import new_id
from huiqun.store import OutsideTransaction
from huiqun.web import Role, create_api_key, serve

_HOST: Final = "127.0.0.1"
# Below those that the kernel gives to outgoing connections.
_PORTS: Final = (15_000, 32_000)
_TIMEOUT_SECONDS: Final = 30


class ServedInterface:
    """The interface at `url`; `client` asks it as somebody."""

    def __init__(self, app: FastAPI, url: str, reader: OutsideTransaction, opened: AsyncExitStack) -> None:
        self.app = app
        self.url = url
        self._reader = reader
        self._opened = opened
        self._clients: dict[tuple[Role, ...], httpx.AsyncClient] = {}

    async def client(self, *roles: Role) -> httpx.AsyncClient:
        """A client with an API key of these roles, or with none; every write has an Idempotency-Key of its own.

        Whoever asks for the same roles again is the same caller.
        """
        if roles not in self._clients:
            key = {"X-API-Key": await create_api_key(self._reader, "+".join(roles), roles)} if roles else {}
            self._clients[roles] = await self.open_client(key)
        return self._clients[roles]

    async def open_client(self, headers: Mapping[str, str]) -> httpx.AsyncClient:
        """A client that sends these headers with every request."""
        client = httpx.AsyncClient(
            base_url=self.url,
            headers=headers,
            transport=httpx.AsyncHTTPTransport(retries=5),  # until the server listens
            timeout=_TIMEOUT_SECONDS,
            event_hooks={"request": [_add_idempotency_key]},
        )
        return await self._opened.enter_async_context(client)


@asynccontextmanager
async def serve_interface(app: FastAPI, reader: OutsideTransaction) -> AsyncIterator[ServedInterface]:
    """Serve an app as long as the context lasts."""
    stop, port = asyncio.Event(), _free_port()
    serving = asyncio.create_task(serve(app, _HOST, port, stop), name="interface")
    try:
        async with AsyncExitStack() as opened:
            yield ServedInterface(app, f"http://{_HOST}:{port}", reader, opened)
    finally:
        stop.set()
        await serving


async def list_all_pages(http: httpx.AsyncClient, path: str, limit: int = 2, **filters: str) -> list[dict[str, Any]]:
    """All items of a list, `limit` a page; raises httpx.HTTPStatusError, or AssertionError for a page too long."""
    items: list[dict[str, Any]] = []
    parameters: dict[str, str | int] = {"limit": limit, **filters}
    while True:
        answer = await http.get(path, params=parameters)
        page = answer.raise_for_status().json()
        if len(page["items"]) > limit:
            raise AssertionError(f"{len(page['items'])} items on a page of at most {limit}")
        items += page["items"]
        if not page.get("next_cursor"):
            return items
        parameters["cursor"] = page["next_cursor"]


async def _add_idempotency_key(request: httpx.Request) -> None:
    if request.method not in ("GET", "HEAD"):
        request.headers.setdefault("Idempotency-Key", new_id())


def _free_port() -> int:
    """A port that nothing listens on; OSError where none is found."""
    first, last = _PORTS
    for _ in range(200):
        port = first + secrets.randbelow(last - first)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {first} and {last}")
