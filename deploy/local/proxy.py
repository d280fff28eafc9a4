"""A TCP proxy whose connections can be cut, to see what its clients make of a broken network."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from local.ports import LOOPBACK, free_port

CHUNK = 64 * 1024


class Proxy:
    """Forwards connections from its own loopback port to `target`, another one, until it is told to cut them."""

    def __init__(self, target: int | None = None) -> None:
        self.port = free_port()
        self.target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def resume(self) -> None:
        """Accept connections (again)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            answers, questions = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            self._drop(writer)
            return
        self._writers.add(questions)
        if self._server is None:  # cut while connecting
            self.cut()
        try:
            await asyncio.gather(self._pump(reader, questions), self._pump(answers, writer))
        finally:
            self._drop(writer)
            self._drop(questions)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Copy until either end closes, then close the other."""
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(CHUNK):
                sink.write(chunk)
                await sink.drain()
        if not sink.is_closing():
            sink.close()
