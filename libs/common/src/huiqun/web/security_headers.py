"""Headers that every answer carries, and redirects that lead nowhere else."""

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_ORIGIN: Final = re.compile(r"\A[a-z][a-z0-9+.-]*://[^/?]*", re.IGNORECASE)


class SecurityHeadersMiddleware:
    """The layer that completes the headers of all answers, of errors as well."""

    def __init__(self, app: ASGIApp) -> None:
        """Watch over `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if "location" in headers:
                    headers["location"] = _here(headers["location"])
            await send(message)

        await self._app(scope, receive, completing)


def _here(location: str) -> str:
    """The path of a location: which host it names, the caller has said, and nobody need believe it."""
    return "/" + _ORIGIN.sub("", location, count=1).lstrip("/\\")
