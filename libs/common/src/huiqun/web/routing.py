"""Routes that declare who may call them, and that authenticate, authorise and read the body in that order."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar, cast

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from huiqun.store import OutsideTransaction, Reader
from huiqun.web.authentication import Authenticator
from huiqun.web.bodies import MIB, Body, read_body, replay_body
from huiqun.web.limits import HEALTH_PATHS, RateLimiter, client_network_of
from huiqun.web.principals import ANONYMOUS, Access, Principal
from huiqun.web.problems import Problem, Problems
from huiqun.web.provided import provisions_of

DEFAULT_BODY_LIMIT: Final = MIB
_STRANGERS_BODY_LIMIT: Final = 16 * 1024
WRITING_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class RequiredRole:
    """Marks a route with the role it needs, and gives the caller to the endpoint that asks."""

    access: Access

    def __call__(self, request: Request) -> Principal:
        """Return the caller; the route has let it in before."""
        return caller_of(request)


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Marks a route with a body limit of its own, in bytes."""

    limit: int

    def __call__(self) -> None:
        """Do nothing: the route reads the mark."""


class ReadOnly:
    """Marks a route that has a writing method because it needs a body, but writes nothing."""

    def __call__(self) -> None:
        """Do nothing: the check at start reads the mark."""


def require_role(role: Access) -> Any:  # noqa: ANN401 - what FastAPI's Depends returns
    """Let in only callers who have the role.

    As a parameter, `who: Annotated[Principal, requires("operator")]`, or in `dependencies=[...]` of a route.
    """
    return Depends(RequiredRole(role))


def limit_body(limit: int) -> Any:  # noqa: ANN401 - see requires
    """Allow other bodies than of 1 MiB, or of 16 KiB without a role: `dependencies=[body_limit(32 * MIB)]`."""
    return Depends(BodyLimit(limit))


def read_only() -> Any:  # noqa: ANN401 - see requires
    """Say that this POST only computes, such as a trial of a policy: it takes no Idempotency-Key."""
    return Depends(ReadOnly())


def caller_of(request: Request) -> Principal:
    """Return who sent this request."""
    principal = getattr(request.state, "principal", None)
    return principal if isinstance(principal, Principal) else ANONYMOUS


def database_of(request: Request) -> OutsideTransaction:
    """Return the service's database, for reading; writes go through `WriteOnce`."""
    return provisions_of(request).get(OutsideTransaction)


def body_of(request: Request) -> Body:
    """Return the body of this request, with its fingerprint."""
    return cast("Body", request.state.body)


class GuardedRoute(APIRoute):
    """Lets the caller in before it reads a byte of the body, and the body before anything is parsed.

    `statuses` are those that the errors of its slice lead to, for the interface's document.
    """

    statuses: frozenset[int] = frozenset()

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler of this route."""
        handle = super().get_route_handler()
        accesses = [mark.access for mark in find_marks(self, RequiredRole)]
        usual = _STRANGERS_BODY_LIMIT if set(accesses) == {"anyone"} else DEFAULT_BODY_LIMIT
        limit = max((mark.limit for mark in find_marks(self, BodyLimit)), default=usual)

        async def guarded(request: Request) -> Response:
            if "\0" in request.url.path or "%00" in request.url.query:
                raise Problem(400, "bad-request", "The address contains the NUL character.")
            provisions = provisions_of(request)
            request.state.principal = await provisions.get(Authenticator).admit(request, accesses)
            if request.state.principal is ANONYMOUS and self.path not in HEALTH_PATHS:
                provisions.get(RateLimiter).count_page(client_network_of(request.scope), _link_of(request))
            if request.method in WRITING_METHODS:
                body = await read_body(request, limit)
                request.state.body = body
                request = replay_body(request, body)
            return await handle(request)

        return guarded


class Router(APIRouter):
    """The routes of one slice; `role` is what every one of them needs, and single routes may need more.

    `problems` says for each error of the slice's handlers which status and kind of problem answers it.
    """

    def __init__(self, prefix: str, *, tag: str, role: Access | None = None, problems: Problems | None = None) -> None:
        """`prefix` is the whole path from the root: "/api/v1/policies"."""
        needed = [require_role(role)] if role else []
        super().__init__(prefix=prefix, tags=[tag], dependencies=needed, route_class=GuardedRoute)
        self.problems: Problems = problems or {}

    @property
    def statuses(self) -> frozenset[int]:
        """The statuses that the slice's errors lead to."""
        return frozenset(status for status, _ in self.problems.values())


def _link_of(request: Request) -> str:
    """The signed part of a members' link, in its path or its query; empty where there is none."""
    return str(request.path_params.get("token") or request.query_params.get("token") or "")


def dependencies_of(route: APIRoute) -> Iterator[Dependant]:
    """Walk through everything the route depends on, the endpoint itself included."""
    waiting: list[Dependant] = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        waiting.extend(dependant.dependencies)
        yield dependant


def depends_on(route: APIRoute, call: Callable[..., object]) -> bool:
    """Say whether the route uses this dependency, however deep."""
    return any(dependant.call is call for dependant in dependencies_of(route))


def methods_of(route: APIRoute) -> list[str]:
    """Return the methods of a route in a fixed order."""
    return sorted(route.methods or ())


def may_write(route: APIRoute) -> bool:
    """Say whether one of the route's methods is for writing."""
    return not WRITING_METHODS.isdisjoint(methods_of(route))


def find_marks(route: APIRoute, kind: type[M]) -> Iterator[M]:
    """Find the marks of one kind among the route's dependencies."""
    for dependant in dependencies_of(route):
        if isinstance(dependant.call, kind):
            yield dependant.call


Caller = Annotated[Principal, Depends(caller_of)]
ReadDatabase = Annotated[Reader, Depends(database_of)]
