"""Why a MongoDB that answers is not the one a service needs, in words that say what to do."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pymongo.errors import ConfigurationError, OperationFailure, ServerSelectionTimeoutError

from huiqun.runtime.misconfiguration import MisconfigurationError

_UNAUTHORIZED: Final = frozenset({13, 8000})  # 8000 is how Atlas' small clusters say it
_UNAUTHENTICATED: Final = 18
_ILLEGAL_OPERATION: Final = 20
# The command's arguments follow; they are documents, and stay unsaid.
_NOT_AUTHORIZED = re.compile(r"not authorized on (\S+) to execute command \{ (\w+):")
_STANDALONE: Final = (
    "is a standalone server, and transactions need a replica set: start it with --replSet rs0, run rs.initiate(), "
    "and put replicaSet=rs0 into HUIQUN_MONGO_URL"
)
_NOT_INITIATED: Final = "has no replica set yet: run rs.initiate() on it"
# What the driver says of servers that it finds and cannot use, the more telling first.
_UNUSABLE: Final = {
    "certificate has expired": "shows a certificate that has expired: it needs a new one",
    "certificate is not yet valid": "shows a certificate that is not valid yet: it needs another",
    "address mismatch": "shows a certificate for another address: HUIQUN_MONGO_URL and the replica set's members must "
    "have the name that is in it",
    "Hostname mismatch": "shows a certificate for another name: HUIQUN_MONGO_URL and the replica set's members must "
    "have the name that is in it",
    "CERTIFICATE_VERIFY_FAILED": "shows a certificate that we do not trust: set HUIQUN_MONGO_CA_FILE to the "
    "certificate of the authority that signed it",
    "alert": "does not accept our certificate, or wants one: set HUIQUN_MONGO_CERTIFICATE_FILE",
    "WRONG_VERSION_NUMBER": "does not speak TLS: start it with --tlsMode, or unset HUIQUN_MONGO_CA_FILE and tls=true",
    "SSL handshake failed": "does not speak TLS: start it with --tlsMode, or unset HUIQUN_MONGO_CA_FILE and tls=true",
    "connection closed": "closes the connection at once: it is stopping, or wants TLS (HUIQUN_MONGO_CA_FILE) or a "
    "certificate of ours (HUIQUN_MONGO_CERTIFICATE_FILE)",
    "connection is already closed": "closes the connection at once: it is stopping, or wants TLS "
    "(HUIQUN_MONGO_CA_FILE) or a certificate of ours (HUIQUN_MONGO_CERTIFICATE_FILE)",
    "for replica set name": "is a standalone server, or of another replica set than HUIQUN_MONGO_URL says after "
    "replicaSet=: start it with --replSet and that name, and run rs.initiate()",
    "RSGhost": _NOT_INITIATED,
}


class StoreRefusesError(MisconfigurationError):
    """MongoDB answers, and a service cannot work with it as it is."""


def require_replica_set(hello: Mapping[str, Any]) -> None:
    """Raise StoreRefusesError if the server that said this `hello` knows no transactions."""
    if not hello.get("setName") and hello.get("msg") != "isdbgrid":
        raise StoreRefusesError(f"MongoDB {_NOT_INITIATED if hello.get('isreplicaset') else _STANDALONE}")


def explain_store_error(error: BaseException) -> StoreRefusesError | None:
    """What an operator has to mend so that the error does not come again; None if it is no such error."""
    sentence: str | None = None
    if isinstance(error, ServerSelectionTimeoutError):
        said = str(error)
        sentence = next((sentence for part, sentence in _UNUSABLE.items() if part in said), None)
    elif isinstance(error, OperationFailure):
        sentence = _refused(error)
    elif isinstance(error, ConfigurationError) and str(error).startswith("Sessions are not supported"):
        sentence = _NOT_INITIATED
    return None if sentence is None else StoreRefusesError(f"MongoDB {sentence}")


def _refused(error: OperationFailure) -> str | None:
    if error.code == _UNAUTHENTICATED:
        return (
            "refuses the user name or the password: set HUIQUN_MONGO_USERNAME and HUIQUN_MONGO_PASSWORD to those of a "
            "user that HUIQUN_MONGO_AUTH_SOURCE (admin if not set) knows"
        )
    if error.code in _UNAUTHORIZED:
        known = _NOT_AUTHORIZED.search(str(error))
        what = f"{known[2]} on {known[1]}" if known else "this"
        return f"does not let us do {what}: set HUIQUN_MONGO_USERNAME to a user with the role readWrite on our database"
    if error.code == _ILLEGAL_OPERATION and str(error).startswith("Transaction numbers"):
        return _STANDALONE
    return None
