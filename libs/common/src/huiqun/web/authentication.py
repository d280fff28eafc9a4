"""Find out who is asking, from an API key or a bearer token."""

from starlette.requests import Request

from huiqun.store import Database
from huiqun.web import api_keys
from huiqun.web.oidc import OidcOptions, OidcVerifier
from huiqun.web.principals import ANONYMOUS, Access, Principal
from huiqun.web.problems import Problem

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="huiqun"'}
_BAD_TOKEN = {"WWW-Authenticate": 'Bearer realm="huiqun", error="invalid_token"'}


class Authenticator:
    """Knows the API keys of this service and the identity provider, if there is one."""

    def __init__(self, db: Database, oidc: OidcOptions | None) -> None:
        """Without `oidc`, only API keys are accepted."""
        self._db = db
        self._oidc = OidcVerifier(oidc) if oidc else None

    async def admit(self, request: Request, access: Access) -> Principal:
        """Return the caller; Problem 401 if unknown, 403 if a role is missing."""
        if access == "anyone":
            return ANONYMOUS
        credential = _credential(request)
        if credential is None:
            raise Problem(401, "unauthenticated", "An API key or a bearer token is needed.", headers=_CHALLENGE)
        principal = await self._principal(credential)
        if principal is None:
            raise Problem(401, "unauthenticated", "The credential is not valid.", headers=_BAD_TOKEN)
        if not principal.may(access):
            raise Problem(403, "forbidden", f"The role {access} is needed.")
        return principal

    async def _principal(self, credential: str) -> Principal | None:
        if credential.startswith(api_keys.PREFIX):
            return await api_keys.find_principal(self._db, credential)
        return await self._oidc.find_principal(credential) if self._oidc else None


def _credential(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key") or None
