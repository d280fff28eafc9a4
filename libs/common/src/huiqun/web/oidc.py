"""Bearer tokens of an OpenID Connect provider, verified with the keys it publishes."""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import jwt
import structlog

from huiqun.telemetry import describe_error
from huiqun.web.principals import Principal, known_roles
from huiqun.web.problems import Problem

# Signatures by a private key only: with a shared secret, whoever can verify could also sign.
_ASYMMETRIC: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
_LEEWAY_SECONDS: Final = 30
_KEYS_FRESH_SECONDS: Final = 600.0
_FETCH_TIMEOUT_SECONDS: Final = 5.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class OidcOptions:
    """Which provider is trusted; `roles_claim` may be a path such as "realm_access.roles"."""

    issuer: str
    audience: str
    jwks_url: str
    roles_claim: str = "roles"
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    refetch_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Refuse algorithms that do not prove who signed."""
        if refused := set(self.algorithms) - _ASYMMETRIC:
            raise ValueError(f"not an asymmetric signature algorithm: {', '.join(sorted(refused))}")


class OidcVerifier:
    """Verifies tokens with the provider's keys, fetched when one is unknown and in the background when they are old.

    A fetch in vain, because the provider is away or does not know the key either, is not repeated for a while: tokens
    that a stranger makes up must not make us flood the provider. A key that it has begun to use is found at once.
    """

    def __init__(self, options: OidcOptions) -> None:
        """Fetch nothing yet: the first token does."""
        self._options = options
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -float("inf")
        self._in_vain_at = -float("inf")
        self._fetching = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def find_principal(self, token: str) -> Principal | None:
        """Return who the token names; None if it cannot be trusted. Problem 503 if no keys could be fetched."""
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(header.get("kid"))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key.key,
                algorithms=self._options.algorithms,
                audience=self._options.audience,
                issuer=self._options.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            log.info("token refused", reason=type(error).__name__)
            return None
        name = claims.get("preferred_username") or claims.get("name") or claims["sub"]
        return Principal(f"oidc:{claims['sub']}", str(name), known_roles(self._roles(claims)))

    def _roles(self, claims: Mapping[str, Any]) -> list[object]:
        found: object = claims
        for step in self._options.roles_claim.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if isinstance(found, str):
            return list(found.split())
        return found if isinstance(found, list) else []

    async def _key(self, key_id: object) -> jwt.PyJWK | None:
        """Return the key of this id; the only key there is, if the token names none."""
        if not self._keys or (key_id is not None and key_id not in self._keys):
            await self._fetch_for(key_id)
        elif time.monotonic() - self._fetched_at > _KEYS_FRESH_SECONDS and not self._is_refreshing:
            self._refreshing = asyncio.create_task(self._fetch_for(key_id))
        if not self._keys:
            raise Problem(
                503,
                "identity-provider-unavailable",
                "The identity provider's keys cannot be fetched; try again.",
                headers={"Retry-After": str(max(1, math.ceil(self._options.refetch_seconds)))},
            )
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(str(key_id))

    @property
    def _is_refreshing(self) -> bool:
        return self._refreshing is not None and not self._refreshing.done()

    async def _fetch_for(self, key_id: object) -> None:
        """Fetch the keys, unless somebody else has while this one waited, or it was in vain a moment ago."""
        asked_at = time.monotonic()
        async with self._fetching:
            if self._fetched_at >= asked_at or time.monotonic() - self._in_vain_at < self._options.refetch_seconds:
                return
            try:
                self._keys = await _fetch(self._options.jwks_url)
                self._fetched_at = time.monotonic()
            except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
                log.warning("identity provider gives no keys", url=self._options.jwks_url, error=describe_error(error))
                self._in_vain_at = time.monotonic()
            else:
                if key_id is not None and key_id not in self._keys:
                    self._in_vain_at = time.monotonic()


async def _fetch(url: str) -> dict[str, jwt.PyJWK]:
    """Read a JWK set; keys we cannot use (other curves, encryption) are left out."""
    async with httpx.AsyncClient(timeout=_FETCH_TIMEOUT_SECONDS) as client:
        response = await client.get(url)
        response.raise_for_status()
        document = response.json()
    listed = document.get("keys") if isinstance(document, dict) else None
    if not listed:
        raise ValueError("not a JWK set")
    keys: dict[str, jwt.PyJWK] = {}
    for item in listed:
        if not isinstance(item, dict) or item.get("use", "sig") != "sig" or item.get("kty") == "oct":
            continue
        try:
            keys[str(item.get("kid", ""))] = jwt.PyJWK(item)
        except jwt.PyJWTError as error:
            log.info("key left out", kid=item.get("kid"), reason=describe_error(error))
    return keys
