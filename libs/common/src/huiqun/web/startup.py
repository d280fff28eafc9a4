"""While a process starts, nobody is served but who asks for its health."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from huiqun.web.problems import Problem, problem_response

_ALWAYS: Final = frozenset({"/healthz", "/readyz"})


class StartupMiddleware:
    """A layer of an app: answers 503 until the process has started."""

    def __init__(self, app: ASGIApp, started: Callable[[], bool]) -> None:
        """Stand before `app`."""
        self._app = app
        self._started = started

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say that it is too early."""
        if scope["type"] != "http" or scope["path"] in _ALWAYS or self._started():
            await self._app(scope, receive, send)
            return
        problem = Problem(503, "starting", "The service is starting; try again.", headers={"Retry-After": "5"})
        await problem_response(Request(scope), problem)(scope, receive, send)
