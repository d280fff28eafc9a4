"""Read an uploaded file as text, in the charsets that spreadsheets on Chinese systems write."""

from codecs import getincrementaldecoder
from collections.abc import Collection, Iterator
from typing import Final

from starlette.requests import Request

from huiqun.web.problems import Problem
from huiqun.web.routing import received_body

_PIECE_BYTES: Final = 256 * 1024
# gb18030 reads its ancestors, too.
_CHARSETS: Final = {
    "": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}


def received_text(request: Request, media_types: Collection[str]) -> tuple[str, str]:
    """The media type of the body, one of `media_types`, and its text; Problem 415 or 422.

    For a large file call it where processor time is spent, beside the event loop.
    """
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = _CHARSETS.get(parameters.strip().removeprefix("charset=").strip('"'))
    if media_type.strip() not in media_types or charset is None:
        wanted = " or ".join(media_types)
        raise Problem(415, "unsupported-media-type", f"Send {wanted}, in UTF-8 or GB 18030.")
    return media_type.strip(), "".join(_decoded(received_body(request).content, charset))


def _decoded(content: bytes, charset: str) -> Iterator[str]:
    """Decode piece by piece: the interpreter has no other thread run while it decodes one."""
    decoder = getincrementaldecoder(charset)()
    for start in range(0, len(content), _PIECE_BYTES):
        piece = content[start : start + _PIECE_BYTES]
        left = len(decoder.getstate()[0])
        try:
            yield decoder.decode(piece, final=start + _PIECE_BYTES >= len(content))
        except UnicodeDecodeError as error:
            wrong = start - left + error.start
            raise Problem(422, "not-text", f"Byte {wrong} of the file is not {charset}; name its charset.") from None
