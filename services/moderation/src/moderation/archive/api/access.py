"""Who may do more than read, and how a reading that is audited gets its transaction."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from huiqun.web import Principal, Transact, requires


def transact(request: Request) -> Transact:
    """What runs a use case that is written to the audit log, and nowhere else."""
    return cast("Transact", request.app.state.transact)


def hash_key(request: Request) -> bytes:
    """The key of the hashes of personal data."""
    return cast("bytes", request.app.state.hash_key)


Audited = Annotated[Transact, Depends(transact)]
HashKey = Annotated[bytes, Depends(hash_key)]
Auditor = Annotated[Principal, requires("auditor")]
