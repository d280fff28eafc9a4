"""Lists in pages: an opaque cursor says where the next page begins."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2s
from typing import Annotated, Final, Generic, TypeVar, cast

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request

from huiqun.web.problems import Problem, locate_field_error

Key = str | int | datetime
T = TypeVar("T")
D = TypeVar("D")
K = TypeVar("K", str, int, datetime)

_CHECK_BYTES: Final = 8
_MAX_KEYS: Final = 8
_DEFAULT_LIMIT: Final = 50
_MAX_LIMIT: Final = 200
_INT64: Final = range(-(1 << 63), 1 << 63)


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="Items of the page, in the list's order.")
    next_cursor: str | None = Field(
        default=None,
        description="Give this as `cursor` to get the next page; absent on the last one.",
        examples=["WyJjYXNlLTE3Il0"],
    )


def encode_cursor(scope: str, keys: Sequence[Key]) -> str:
    """Write where a page ended. `scope` names the list, so that its cursor fits no other."""
    payload = orjson.dumps([_encode(key) for key in keys])
    return base64.urlsafe_b64encode(_check(scope, payload) + payload).decode().rstrip("=")


def decode_cursor(scope: str, cursor: str) -> tuple[Key, ...]:
    """Read a cursor back; ValueError if it is not one of this list's."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not a cursor") from error
    check, payload = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    if check != _check(scope, payload):
        raise ValueError("not a cursor of this list")
    keys = orjson.loads(payload)
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS:
        raise ValueError("not a cursor")
    return tuple(map(_decode, keys))


def _check(scope: str, payload: bytes) -> bytes:
    # It catches mistakes, not attacks: a forged cursor holds scalars only and shows nothing its caller may not see.
    return blake2s(scope.encode() + b"\n" + payload, digest_size=_CHECK_BYTES).digest()


def _encode(key: Key) -> object:
    if isinstance(key, datetime):
        return {"t": key.astimezone(UTC).isoformat()}
    return key


def _decode(value: object) -> Key:
    if isinstance(value, dict) and value.keys() == {"t"} and isinstance(value["t"], str):
        try:
            return datetime.fromisoformat(value["t"]).astimezone(UTC)
        except OverflowError as error:
            raise ValueError("not a cursor") from error
    if isinstance(value, str) or (type(value) is int and value in _INT64):
        return value
    raise ValueError("not a cursor")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted. Read `limit + 1` items after `after(...)`, and give them to `page`."""

    scope: str
    limit: int
    keys: tuple[Key, ...] | None

    def after(self, *types: type[Key]) -> tuple[Key, ...] | None:
        """Return the keys of the last item the caller has, None on the first page; Problem 422 if they do not fit."""
        if self.keys is None:
            return None
        if len(self.keys) != len(types) or not all(map(isinstance, self.keys, types)):
            raise _not_a_cursor()
        return self.keys

    def last(self, kind: type[K]) -> K | None:
        """Return the only key of the last item the caller has, None on the first page; Problem 422 if it is another."""
        keys = self.after(kind)
        return cast("K", keys[0]) if keys else None

    def page(self, found: Sequence[D], key: Callable[[D], Sequence[Key]], show: Callable[[D], T]) -> Page[T]:
        """Build the page from up to `limit + 1` items: `key` gives an item's sort keys, `show` what the caller sees."""
        items = found[: self.limit]
        more = len(found) > self.limit
        cursor = encode_cursor(self.scope, key(items[-1])) if more else None
        return Page(items=[show(item) for item in items], next_cursor=cursor)


def page_request(
    request: Request,
    limit: Annotated[
        int, Query(ge=1, le=_MAX_LIMIT, description="Number of items that a page may have.", examples=[_DEFAULT_LIMIT])
    ] = _DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(max_length=2048, description="The `next_cursor` of the page before.", examples=["WyJjYXNlLTE3Il0"]),
    ] = None,
) -> PageRequest:
    """Read limit and cursor; Problem 422 if the cursor is not one that this list gave out."""
    scope: str = request.scope["route"].path
    if cursor is None:
        return PageRequest(scope, limit, None)
    try:
        return PageRequest(scope, limit, decode_cursor(scope, cursor))
    except ValueError:
        raise _not_a_cursor() from None


def _not_a_cursor() -> Problem:
    errors = [locate_field_error(("query", "cursor"), "Not a cursor that this list gave out.")]
    return Problem(422, "invalid-request", "The request is not valid.", errors=errors)


Paging = Annotated[PageRequest, Depends(page_request)]
