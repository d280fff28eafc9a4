"""Find out who is asking, from an API key or a bearer token."""

from collections.abc import Sequence

from starlette.requests import Request

from huiqun.store import Database
from huiqun.web import api_keys
from huiqun.web.limits import RateLimiter, credential_of
from huiqun.web.oidc import OidcOptions, OidcVerifier
from huiqun.web.principals import ANONYMOUS, Access, Principal
from huiqun.web.problems import Problem

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="huiqun"'}
_BAD_TOKEN = {"WWW-Authenticate": 'Bearer realm="huiqun", error="invalid_token"'}


class Authenticator:
    """Knows the API keys of this service and the identity provider, if there is one."""

    def __init__(self, db: Database, oidc: OidcOptions | None, limiter: RateLimiter) -> None:
        """Without `oidc`, only API keys are accepted; `limiter` counts the callers' requests."""
        self._db = db
        self._limiter = limiter
        self._oidc = OidcVerifier(oidc) if oidc else None

    async def admit(self, request: Request, accesses: Sequence[Access]) -> Principal:
        """Return the caller; Problem 401 if unknown, 429 if they ask too often, 403 if one of the roles is missing."""
        if all(access == "anyone" for access in accesses):
            return ANONYMOUS
        credential = credential_of(request)
        if credential is None:
            raise Problem(401, "unauthenticated", "An API key or a bearer token is needed.", headers=_CHALLENGE)
        principal = await self._principal(credential)
        if principal is None:
            raise Problem(401, "unauthenticated", "The credential is not valid.", headers=_BAD_TOKEN)
        request.state.principal = principal
        self._limiter.trust_credential(credential)
        self._limiter.count_caller(principal.id)
        for access in accesses:
            if not principal.may(access):
                raise Problem(403, "forbidden", f"The role {access} is needed.")
        return principal

    async def _principal(self, credential: str) -> Principal | None:
        if credential.startswith(api_keys.API_KEY_PREFIX):
            return await api_keys.find_principal(self._db, credential)
        return await self._oidc.find_principal(credential) if self._oidc else None
