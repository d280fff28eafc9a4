"""Who may do more than read, and under which key what is looked up was hashed."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from huiqun.web import Principal, requires


def hash_key(request: Request) -> bytes:
    """The key of the hashes of personal data."""
    return cast("bytes", request.app.state.hash_key)


HashKey = Annotated[bytes, Depends(hash_key)]
Auditor = Annotated[Principal, requires("auditor")]
