"""A proxy before the broker that withholds the acknowledging of offsets, and lets everything else through."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from local.ports import LOOPBACK, free_port

OFFSET_COMMIT = 8  # the protocol's number of the request


class OffsetTap:
    """Forwards to the broker at `target`; while it `withholds`, offsets are not acknowledged, and it counts them."""

    def __init__(self) -> None:
        self.port = free_port()
        self.target = 0
        self.withholds = False
        self.withheld = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(LOOPBACK, self.target)
        back = asyncio.create_task(_copy(answers, writer))
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._forward(reader, questions)
        finally:
            back.cancel()
            writer.transport.abort()
            questions.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, questions: asyncio.StreamWriter) -> None:
        while True:
            length = await reader.readexactly(4)
            request = await reader.readexactly(int.from_bytes(length, "big"))
            if self.withholds and int.from_bytes(request[:2], "big") == OFFSET_COMMIT:
                self.withheld += 1
                continue
            questions.write(length + request)
            await questions.drain()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(64 * 1024):
            sink.write(chunk)
            await sink.drain()
    sink.close()
