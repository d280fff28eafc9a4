"""How often anybody may ask: each caller, each address without a credential, each members' link."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from throttled import MemoryStore, Quota, RateLimiterType, Throttled, per_min, per_sec

from huiqun.web.principals import ANONYMOUS
from huiqun.web.problems import Problem, problem_response

#: Asked by machines of the cluster, answered from what is known, and never refused.
HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz"})
# Who was seen longest ago is forgotten first: strangers with many addresses cost this much and no more.
_REMEMBERED: Final = 10_000
_TRUSTED_SECONDS: Final = 3_600
# Who asks on at once is answered late: twenty connections that never pause would fill each turn of the event loop.
_LATE_SECONDS: Final = 0.25
_PROBES_A_SECOND: Final = 10
_PROBES_AT_ONCE: Final = 50
_NETWORK_BITS: Final = 64  # what one subscriber has of IPv6


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimits:
    """Requests a minute, which may all come at once; each process counts for itself.

    `address` is for requests without a valid credential, `page` for members' pages, `link` for one member's link.
    """

    caller: int = 3_000
    address: int = 1_200
    page: int = 600
    link: int = 60


class RateLimiter:
    """Counts requests, and refuses those beyond the limits with 429 and the seconds to wait."""

    def __init__(self, limits: RateLimits) -> None:
        """Count from zero."""
        self._callers = _a_minute(limits.caller)
        self._addresses = _a_minute(limits.address)
        self._pages = _a_minute(limits.page)
        self._links = _a_minute(limits.link)
        self._probes = probe_counter()
        self._trusted = MemoryStore(options={"MAX_SIZE": _REMEMBERED})

    def count_caller(self, caller: str) -> None:
        """Count a request of somebody who has authenticated; Problem 429."""
        _count(self._callers, caller)

    def count_page(self, address: str, link: str) -> None:
        """Count a request for a members' page; `link` is the signed part of its address, or empty. Problem 429."""
        _count(self._pages, address)
        if link:
            _count(self._links, _digest(link))

    def count_stranger(self, address: str) -> None:
        """Count a request that nobody could be named for."""
        self._addresses.limit(address)

    async def slow_probe(self, address: str) -> None:
        """Answer late where an address probes far more often than machines do; probes are never refused."""
        await delay_greedy_probe(self._probes, address)

    def check_stranger(self, address: str, credential: str | None) -> None:
        """Problem 429 if this address has asked too often, unless it shows a credential that was good lately."""
        state = self._addresses.peek(address)
        if state.remaining == 0 and (credential is None or self._trusted.get(_digest(credential)) is None):
            raise _too_many(state.retry_after)

    def trust_credential(self, credential: str) -> None:
        """Remember that a credential was good: its holder does not suffer from strangers behind the same address."""
        self._trusted.set(_digest(credential), 1, _TRUSTED_SECONDS)


class RateLimitMiddleware:
    """The layer that refuses strangers who ask too often, before anything is done for them."""

    def __init__(self, app: ASGIApp, limiter: RateLimiter) -> None:
        """Watch over `app`."""
        self._app = app
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = client_network_of(scope)
        if scope["path"] in HEALTH_PATHS:
            await self._limiter.slow_probe(address)
            await self._app(scope, receive, send)
            return

        async def refusing_late(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.TOO_MANY_REQUESTS:
                await asyncio.sleep(_LATE_SECONDS)
            await send(message)

        request = Request(scope)
        try:
            self._limiter.check_stranger(address, credential_of(request))
        except Problem as problem:
            await problem_response(request, problem)(scope, receive, refusing_late)
            return
        try:
            await self._app(scope, receive, refusing_late)
        finally:
            if scope.get("state", {}).get("principal", ANONYMOUS) is ANONYMOUS:
                self._limiter.count_stranger(address)


def credential_of(request: Request) -> str | None:
    """The API key or bearer token of a request; None if there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key") or None


def quota_owner_of(request: Request) -> str:
    """What the work for a request is counted under: its caller, or the address of who is not known."""
    principal = getattr(request.state, "principal", ANONYMOUS)
    return client_network_of(request.scope) if principal is ANONYMOUS else str(principal.id)


def client_network_of(scope: Mapping[str, Any]) -> str:
    """Where a request comes from, as far as it is counted: an IPv4 address, or the network of an IPv6 one.

    What a proxy forwards is taken for it only from proxies that the settings trust.
    """
    client = scope.get("client")
    try:
        address = ip_address(client[0]) if client else None
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS)}/{_NETWORK_BITS}"
    return str(address) if address is not None else "unknown"


def probe_counter() -> Throttled:
    """Counts those who may always ask, to answer the greedy among them late."""
    return _counter(per_sec(_PROBES_A_SECOND, burst=_PROBES_AT_ONCE))


async def delay_greedy_probe(counter: Throttled, address: str) -> None:
    """Wait a little if the address has asked too often."""
    if counter.limit(address).limited:
        await asyncio.sleep(_LATE_SECONDS)


def _a_minute(number: int) -> Throttled:
    return _counter(per_min(number, burst=number))


def _counter(quota: Quota) -> Throttled:
    store = MemoryStore(options={"MAX_SIZE": _REMEMBERED})
    return Throttled(using=RateLimiterType.GCRA.value, quota=quota, store=store)


def _count(counter: Throttled, key: str) -> None:
    result = counter.limit(key)
    if result.limited:
        raise _too_many(result.state.retry_after)


def _too_many(seconds: float) -> Problem:
    wait = max(1, math.ceil(seconds))
    detail = f"Too many requests; try again in {wait} s."
    return Problem(429, "too-many-requests", detail, headers={"Retry-After": str(wait)})


def _digest(secret: str) -> str:
    """What a credential is remembered by: it is never kept itself."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
