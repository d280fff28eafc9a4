"""Two people may edit the same thing: versions as ETag, and If-Match against lost updates."""

import re
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, Header
from starlette.responses import Response

from huiqun.web.problems import Problem

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_LIST: Final = re.compile(rf"\s*{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*\s*")


def etag_of(version: int | str) -> str:
    """Write a version as a strong entity tag, which holds ASCII only."""
    return f'"{quote(str(version))}"'


def set_etag(response: Response, version: int | str) -> None:
    """Tell the reader which version this is."""
    response.headers["ETag"] = etag_of(version)


@dataclass(frozen=True, slots=True)
class Precondition:
    """The versions that the caller says it has seen; None means any."""

    versions: frozenset[str] | None

    def check(self, version: int | str) -> None:
        """Problem 412 unless the caller has seen this version."""
        if self.versions is not None and quote(str(version)) not in self.versions:
            raise Problem(412, "stale", "It has been changed since you read it; read it again.")


def if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description='The ETag that was read, or "*" for any version. Required.',
            examples=['"3"'],
        ),
    ] = None,
) -> Precondition:
    """Read If-Match; Problem 428 without one, 400 if it is malformed. Weak tags match nothing, as the standard says."""
    if if_match is None:
        raise Problem(428, "precondition-required", "Send the ETag you read as If-Match.")
    if if_match.strip() == "*":
        return Precondition(None)
    if not _LIST.fullmatch(if_match):
        raise Problem(400, "bad-request", "If-Match is not a list of entity tags.")
    return Precondition(frozenset(tag for weak, tag in _TAG.findall(if_match) if not weak))


IfMatch = Annotated[Precondition, Depends(if_match)]
