"""The one factory of all HTTP interfaces: give it the routes, get an app that authenticates, explains and reports."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson
from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from huiqun.store import Database, Index
from huiqun.web import api_keys, idempotency
from huiqun.web.authentication import Authenticator
from huiqun.web.compute import ComputeRoom, Offloaded
from huiqun.web.health import health_routes
from huiqun.web.idempotency import Transact, write_once
from huiqun.web.limits import Limiting, RateLimiter, RateLimits
from huiqun.web.observing import Observing
from huiqun.web.oidc import OidcOptions
from huiqun.web.openapi import describe
from huiqun.web.problems import answer_domain_errors, answer_problems
from huiqun.web.readiness import Check
from huiqun.web.routing import (
    ChangesNothing,
    GuardedRoute,
    RoleNeeded,
    Router,
    depends_on,
    marks,
    may_write,
    methods_of,
)
from huiqun.web.safety import Safety
from huiqun.web.starting import Starting

WEB_INDEXES: Final[Mapping[str, Sequence[Index]]] = {**api_keys.INDEXES, **idempotency.INDEXES}


@dataclass(frozen=True, kw_only=True, slots=True)
class AppOptions:
    """What an app is made of. `alive` says whether the loops run; each check raises if its dependency is silent.

    Until `started` is true, only health is answered for.
    """

    title: str
    version: str
    description: str
    db: Database
    transact: Transact
    routers: Sequence[APIRouter]
    alive: Callable[[], bool]
    checks: Mapping[str, Check]
    started: Callable[[], bool] = lambda: True
    oidc: OidcOptions | None = None
    limits: RateLimits = field(default_factory=RateLimits)
    state: Mapping[str, Any] = field(default_factory=dict)


class UnsafeRoutesError(Exception):
    """Some routes do not say who may call them, or write without an Idempotency-Key."""


def create_app(options: AppOptions) -> FastAPI:
    """Build the app; UnsafeRoutesError if a route declares no role. `state` is what routes find in `app.state`."""
    app = FastAPI(
        title=options.title,
        version=options.version,
        description=options.description,
        docs_url=None,  # the page loads scripts from elsewhere, and the document itself asks for a role
        redoc_url=None,
        openapi_url=None,
    )
    for router in (health_routes(options.alive, options.checks), _own_routes(app), *options.routers):
        # Routes are added as they are: an included router would hide its prefix from metrics and cursors.
        app.router.routes.extend(router.routes)
        if isinstance(router, Router):
            answer_domain_errors(app, router.problems)
            for route in router.routes:
                if isinstance(route, GuardedRoute):
                    route.statuses = router.statuses
    if unsafe := list(_unsafe(app.routes)):
        raise UnsafeRoutesError("; ".join(unsafe))
    for name, value in options.state.items():
        setattr(app.state, name, value)
    app.state.limiter = RateLimiter(options.limits)
    app.state.compute = ComputeRoom()
    app.state.authenticator = Authenticator(options.db, options.oidc, app.state.limiter)
    app.state.transact = options.transact
    app.state.database = options.db
    app.openapi = partial(describe, app)  # type: ignore[method-assign] # FastAPI's own way to extend the document
    answer_problems(app)
    # The last one is the outermost.
    app.add_middleware(Starting, started=options.started)
    app.add_middleware(Limiting, limiter=app.state.limiter)
    app.add_middleware(Observing)
    app.add_middleware(Safety)
    return app


def _own_routes(app: FastAPI) -> APIRouter:
    router = Router("/api/v1", tag="interface", role="viewer")

    written: list[bytes] = []

    @router.get("/openapi.json", summary="This interface as an OpenAPI document", include_in_schema=False)
    async def openapi(offload: Offloaded) -> Response:
        if not written:  # it takes a second to make
            written.append(await offload(lambda: orjson.dumps(app.openapi())))
        return Response(written[0], media_type="application/json")

    return router


def _unsafe(routes: Sequence[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if not isinstance(route, APIRoute):
            yield f"{getattr(route, 'path', route)}: only routes of huiqun.web.Router can be checked"
            continue
        name = f"{'/'.join(methods_of(route))} {route.path}"
        accesses = {mark.access for mark in marks(route, RoleNeeded)}
        if not isinstance(route, GuardedRoute):
            yield f"{name}: not made by huiqun.web.Router"
        if not accesses:
            yield f"{name}: no role declared"
        once = depends_on(route, write_once) or any(marks(route, ChangesNothing))
        if may_write(route) and accesses != {"anyone"} and not once:
            yield f"{name}: neither WriteOnce nor changes_nothing()"
