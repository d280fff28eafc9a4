"""The one factory of all HTTP interfaces: give it the routes, get an app that authenticates, explains and reports."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import orjson
from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from huiqun.store import Database, Index, OutsideTransaction
from huiqun.web import api_keys, idempotency
from huiqun.web.authentication import Authenticator
from huiqun.web.compute import ComputeQueue, Offloaded
from huiqun.web.health import health_routes
from huiqun.web.idempotency import Transact, UseCaseRunner, write_once
from huiqun.web.limits import RateLimiter, RateLimitMiddleware, RateLimits
from huiqun.web.observability import ObservabilityMiddleware
from huiqun.web.oidc import OidcOptions
from huiqun.web.openapi import serve_complete_openapi
from huiqun.web.problems import handle_domain_errors, handle_problems
from huiqun.web.provided import ProvidedValue, Provisions, provide
from huiqun.web.readiness import Check
from huiqun.web.routing import (
    GuardedRoute,
    ReadOnly,
    RequiredRole,
    Router,
    depends_on,
    find_marks,
    may_write,
    methods_of,
)
from huiqun.web.security_headers import SecurityHeadersMiddleware
from huiqun.web.startup import StartupMiddleware

WEB_INDEXES: Final[Mapping[str, Sequence[Index]]] = {**api_keys.API_KEY_INDEXES, **idempotency.IDEMPOTENCY_INDEXES}


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
    provided: Sequence[object] = ()


class UnsafeRoutesError(Exception):
    """Some routes do not say who may call them, write without an Idempotency-Key, or need what nobody provides."""


def create_app(options: AppOptions) -> FastAPI:
    """Build the app; UnsafeRoutesError if a route declares no role, or needs what is not among `provided`."""
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
            handle_domain_errors(app, router.problems)
            for route in router.routes:
                if isinstance(route, GuardedRoute):
                    route.statuses = router.statuses
    limiter = RateLimiter(options.limits)
    authenticator = Authenticator(options.db, options.oidc, limiter)
    own = (limiter, authenticator, ComputeQueue(), OutsideTransaction(options.db), UseCaseRunner(options.transact))
    provisions = Provisions((*own, *options.provided))
    if unsafe := list(_unsafe(app.routes, provisions)):
        raise UnsafeRoutesError("; ".join(unsafe))
    provide(app, provisions)
    app.openapi = partial(serve_complete_openapi, app)  # type: ignore[method-assign] # FastAPI's own way to extend the document
    handle_problems(app)
    # The last one is the outermost.
    app.add_middleware(StartupMiddleware, started=options.started)
    app.add_middleware(RateLimitMiddleware, limiter=limiter)
    app.add_middleware(ObservabilityMiddleware)
    app.add_middleware(SecurityHeadersMiddleware)
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


def _unsafe(routes: Sequence[BaseRoute], provisions: Provisions) -> Iterator[str]:
    for route in routes:
        if not isinstance(route, APIRoute):
            yield f"{getattr(route, 'path', route)}: only routes of huiqun.web.Router can be checked"
            continue
        name = f"{'/'.join(methods_of(route))} {route.path}"
        accesses = {mark.access for mark in find_marks(route, RequiredRole)}
        if not isinstance(route, GuardedRoute):
            yield f"{name}: not made by huiqun.web.Router"
        if not accesses:
            yield f"{name}: no role declared"
        once = depends_on(route, write_once) or any(find_marks(route, ReadOnly))
        if may_write(route) and accesses != {"anyone"} and not once:
            yield f"{name}: neither WriteOnce nor read_only()"
        for needed in find_marks(route, ProvidedValue):
            if needed.kind not in provisions:
                yield f"{name}: needs a {needed.kind.__name__}, which is not provided"
