"""The figures of this process for Prometheus, on a port of their own that has nothing else."""

import asyncio
import time
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from huiqun.web.connections import ConnectionLimits
from huiqun.web.limits import client_network_of, delay_greedy_probe, probe_counter
from huiqun.web.single_flight import SingleFlight

#: A handful of scrapers is all there is.
METRICS_CONNECTIONS: Final = ConnectionLimits(most=64, most_of_address=32, stalled_seconds=10)
_FRESH_SECONDS: Final = 1.0


class MetricsApp:
    """An app that answers GET /metrics; the figures are written once a second at most, in a thread.

    Who asks far more often than scrapers do is answered late.
    """

    def __init__(self) -> None:
        self._written = b""
        self._written_at = -float("inf")
        self._write = SingleFlight(self._write_anew)
        self._scrapers = probe_counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await delay_greedy_probe(self._scrapers, client_network_of(scope))
        await (await self._answer(Request(scope)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path != "/metrics":
            return PlainTextResponse("There is only /metrics here.\n", 404)
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse("Only GET.\n", 405, {"Allow": "GET, HEAD"})
        if time.monotonic() - self._written_at > _FRESH_SECONDS:
            await self._write()
        return Response(self._written, media_type=CONTENT_TYPE_LATEST)

    async def _write_anew(self) -> None:
        self._written = await asyncio.to_thread(generate_latest)
        self._written_at = time.monotonic()
