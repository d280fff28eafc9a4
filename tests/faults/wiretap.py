"""A proxy before MongoDB that cuts the connection on which a commit is sent, before or after the server has it."""

import asyncio
import contextlib
from enum import Enum
from types import TracebackType
from typing import Self

from local.ports import LOOPBACK, free_port

COMMIT = b"commitTransaction"


class Cut(Enum):
    """Where a commit is lost."""

    BEFORE = "before the server has it"
    AFTER = "after the server has it"


class Wiretap:
    """Forwards to MongoDB at `target`; the next `commits` commits go unanswered."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.commits = 0
        self.cut = Cut.BEFORE
        self._target = target
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """How a client comes past the proxy: it must not ask the replica set where its members are."""
        return f"mongodb://{LOOPBACK}:{self.port}/?directConnection=true"

    def lose(self, commits: int, cut: Cut) -> None:
        """Leave the next commits unanswered."""
        self.commits, self.cut = commits, cut

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(LOOPBACK, self._target)
        back = asyncio.create_task(_copy(answers, writer))
        try:
            while chunk := await reader.read(1024 * 1024):
                if self.commits and COMMIT in chunk:
                    self.commits -= 1
                    back.cancel()
                    await asyncio.wait({back})
                    if self.cut is Cut.AFTER:
                        questions.write(chunk)
                        await answers.read(1)  # the server has answered, so it is done
                    break
                questions.write(chunk)
                await questions.drain()
        finally:
            back.cancel()
            writer.transport.abort()
            questions.transport.abort()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(1024 * 1024):
            sink.write(chunk)
            await sink.drain()
    sink.close()
