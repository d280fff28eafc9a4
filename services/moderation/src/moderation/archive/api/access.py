"""Who may do more than read, and under which key what is looked up was hashed."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from huiqun.privacy.keys import RotatingKey
from huiqun.web import Principal, require_role


def hash_key(request: Request) -> RotatingKey:
    """The key of the hashes of personal data."""
    return cast("RotatingKey", request.app.state.hash_key)


HashKey = Annotated[RotatingKey, Depends(hash_key)]
Auditor = Annotated[Principal, require_role("auditor")]
