"""Read a request's body safely: bounded, and JSON that everything behind can hold."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

import orjson
from starlette.requests import Request
from starlette.types import Message

from huiqun.web.compute import ComputeQueue
from huiqun.web.limits import quota_owner_of
from huiqun.web.problems import Problem, locate_field_error
from huiqun.web.provided import provisions_of

MIB: Final = 1024 * 1024
_MAX_DEPTH: Final = 64
# What a client may still send after its body was refused: closing in the middle would cost it the answer.
_DRAINED_BYTES: Final = 16 * MIB
# More than this is looked through beside the event loop.
_LARGE: Final = 32 * 1024
_PATIENCE_SECONDS: Final = 15.0
_LONGEST_SECONDS: Final = 300.0
_LONG_INTEGER: Final = re.compile(rb"\d{19}")
_INT64: Final = range(-(1 << 63), 1 << 63)


_JSON: Final = frozenset({"application/json", ""})


@dataclass(frozen=True, slots=True)
class Body:
    """A body that has been read, with the hash by which a repeated request is recognised."""

    content: bytes
    fingerprint: str


async def read_body(request: Request, limit: int) -> Body:
    """Read at most `limit` bytes, Problem 413 beyond, 408 if they do not come; JSON is checked, Problem 400 or 422."""
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            content = await _read(request, limit)
    except TimeoutError:
        headers = {"Connection": "close"}
        raise Problem(408, "request-timeout", "The body did not arrive in time.", headers=headers) from None
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    asked = f"{request.method} {request.url.path}?{request.url.query} {media_type}\n".encode()
    examine = partial(_examine, asked, content, is_json=media_type.endswith("+json") or media_type in _JSON)
    if len(content) <= _LARGE:
        return examine()
    return await provisions_of(request).get(ComputeQueue).run(quota_owner_of(request), examine)


def _examine(asked: bytes, content: bytes, *, is_json: bool) -> Body:
    if content and is_json:
        check_json(content)
    fingerprint = sha256(asked)
    fingerprint.update(content)
    return Body(content, fingerprint.hexdigest())


def replay_body(request: Request, body: Body) -> Request:
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
    while (chunk := await _next(stream)) is not None:
        size += len(chunk)
        if size > limit:
            await _drain(stream)
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    """The next part of the body, None at its end. TimeoutError if it does not come: who waits holds a connection."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        return await anext(stream, None)


async def _drain(stream: AsyncIterator[bytes]) -> None:
    drained = 0
    while (chunk := await _next(stream)) is not None:
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
    # Of each level, what is left of it: a body of millions of values takes no more than its depth.
    path: list[str | int] = []
    levels: list[Iterator[tuple[str | int, object]]] = [iter([("", document)])]
    while levels:
        step = next(levels[-1], None)
        if step is None:
            levels.pop()
            if path:
                path.pop()
            continue
        name, value = step
        where = (*path, name)[1:] if path else ()
        if isinstance(value, dict | list):
            if len(path) > _MAX_DEPTH:
                raise Problem(400, "malformed-json", f"The body is nested deeper than {_MAX_DEPTH} levels.")
            if isinstance(value, dict) and any("\0" in key for key in value):
                raise _unusable(where, "A name contains the NUL character.")
            path.append(name)
            levels.append(iter(value.items() if isinstance(value, dict) else enumerate(value)))
        elif isinstance(value, str) and "\0" in value:
            raise _unusable(where, "The text contains the NUL character.")
        elif type(value) is int and value not in _INT64:
            raise _unusable(where, "The integer is beyond 64 bits.")


def _unusable(path: tuple[str | int, ...], detail: str) -> Problem:
    errors = [locate_field_error(("body", *path), detail)]
    return Problem(422, "invalid-request", "The request is not valid.", errors=errors)
