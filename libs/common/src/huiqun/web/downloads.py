"""Downloads: a file as a stream, whole or from the byte at which it broke off; lines as they are read."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Header
from starlette.responses import StreamingResponse

from huiqun.web.problems import Problem

RangeHeader = Annotated[
    str | None,
    Header(alias="Range", description="To go on with a download that broke off.", examples=["bytes=1048576-"]),
]
_BYTES: Final = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")
_CHUNK_LINES: Final = 200
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}


@dataclass(frozen=True, slots=True)
class Download:
    """A file that somebody fetches: its name in ASCII, its length in bytes, and a strong entity tag."""

    name: str
    media_type: str
    size: int
    etag: str


def download_responses(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """What the interface's document says of a route that sends a download."""
    content: dict[str, Any] = {each: {"schema": {"type": "string"}} for each in media_types}
    return {
        200: {"description": "The file", "content": content},
        206: {"description": "The part that was asked for", "content": content},
        416: {"description": "The file is not that long", "content": _PROBLEM},
    }


def send_download(
    file: Download, asked: str | None, read: Callable[[int, int], AsyncIterator[bytes]]
) -> StreamingResponse:
    """The file, or what the Range header asks for; `read` gives the bytes from a first up to a last. Problem 416."""
    start, end = _span(asked, file.size) or (0, file.size)
    headers = {
        "Content-Length": str(end - start),
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "ETag": file.etag,
        "Accept-Ranges": "bytes",
    }
    partial = (start, end) != (0, file.size)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return StreamingResponse(read(start, end), 206 if partial else 200, headers, file.media_type)


def send_lines(lines: AsyncIterator[bytes], media_type: str) -> StreamingResponse:
    """Lines as they are read, many in a chunk: each one on its own would cost a write to the socket."""
    return StreamingResponse(_chunks(lines), media_type=media_type)


async def _chunks(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    chunk: list[bytes] = []
    async for line in lines:
        chunk.append(line)
        if len(chunk) == _CHUNK_LINES:
            yield b"".join(chunk)
            chunk = []
    if chunk:
        yield b"".join(chunk)


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """The bytes that are asked for, up to the second number; None where it is not said in a way that we know."""
    found = _BYTES.fullmatch(asked or "")
    if found is None:
        return None
    start, end = int(found[1]), min(int(found[2] or size), size - 1) + 1
    if start >= size:
        raise Problem(
            416, "range-not-satisfiable", "The file is not that long.", headers={"Content-Range": f"bytes */{size}"}
        )
    return (start, end) if start < end else None
