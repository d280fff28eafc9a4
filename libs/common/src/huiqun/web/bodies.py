"""Read a request's body safely: bounded, and JSON that everything behind can hold."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import orjson
from starlette.requests import Request
from starlette.types import Message

from huiqun.web.problems import Problem, field_error

MIB: Final = 1024 * 1024
_MAX_DEPTH: Final = 64
# What a client may still send after its body was refused: closing in the middle would cost it the answer.
_DRAINED_BYTES: Final = 16 * MIB
_LONG_INTEGER: Final = re.compile(rb"\d{19}")
_INT64: Final = range(-(1 << 63), 1 << 63)


@dataclass(frozen=True, slots=True)
class Body:
    """A body that has been read, with the hash by which a repeated request is recognised."""

    content: bytes
    fingerprint: str


async def read_body(request: Request, limit: int) -> Body:
    """Read at most `limit` bytes, Problem 413 beyond; JSON is checked, Problem 400 or 422."""
    content = await _read(request, limit)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content and (media_type.endswith("+json") or media_type in {"application/json", ""}):
        check_json(content)
    asked = f"{request.method} {request.url.path}?{request.url.query} {media_type}\n".encode()
    return Body(content, sha256(asked + content).hexdigest())


def replay(request: Request, body: Body) -> Request:
    """Return the request as if its body had not been read yet."""
    unread = [body.content]

    async def receive() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await request.receive()

    return Request(request.scope, receive)


async def _read(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        await _drain(request.stream())
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    stream = request.stream()
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            await _drain(stream)
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def _drain(stream: AsyncIterator[bytes]) -> None:
    drained = 0
    async for chunk in stream:
        drained += len(chunk)
        if drained > _DRAINED_BYTES:
            return


def _too_large(limit: int) -> Problem:
    return Problem(413, "body-too-large", f"The body may have at most {limit} bytes.")


def check_json(content: bytes) -> None:
    """Refuse JSON that is malformed, nested too deep, or holds what MongoDB or UTF-8 cannot.

    The strict parser refuses invalid UTF-8, lone surrogates, NaN and infinities. The rest needs a walk, which is only
    worth its time where the bytes show a sign of trouble.
    """
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "malformed-json", f"The body is not valid JSON: {error}") from None
    suspicious = content.count(b"[") + content.count(b"{") > _MAX_DEPTH or b"\\u0000" in content
    if _LONG_INTEGER.search(content):
        if suspicious:
            _walk(document)  # the standard parser below is recursive: first make sure that the nesting is shallow
        document, suspicious = json.loads(content), True
    if suspicious:
        _walk(document)


def _walk(document: object) -> None:
    waiting: list[tuple[object, tuple[str | int, ...]]] = [(document, ())]
    while waiting:
        value, path = waiting.pop()
        if len(path) > _MAX_DEPTH:
            raise Problem(400, "malformed-json", f"The body is nested deeper than {_MAX_DEPTH} levels.")
        if isinstance(value, dict):
            waiting.extend((inner, (*path, name)) for name, inner in value.items())
            if any("\0" in name for name in value):
                raise _unusable(path, "A name contains the NUL character.")
        elif isinstance(value, list):
            waiting.extend((inner, (*path, index)) for index, inner in enumerate(value))
        elif isinstance(value, str) and "\0" in value:
            raise _unusable(path, "The text contains the NUL character.")
        elif type(value) is int and value not in _INT64:
            raise _unusable(path, "The integer is beyond 64 bits.")


def _unusable(path: tuple[str | int, ...], detail: str) -> Problem:
    errors = [field_error(("body", *path), detail)]
    return Problem(422, "invalid-request", "The request is not valid.", errors=errors)
