"""Read an uploaded file as text, in the charsets that spreadsheets on Chinese systems write."""

from collections.abc import Collection
from typing import Final

from starlette.requests import Request

from huiqun.web.problems import Problem
from huiqun.web.routing import received_body

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
    """The media type of the body, one of `media_types`, and its text; Problem 415 or 422."""
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = _CHARSETS.get(parameters.strip().removeprefix("charset=").strip('"'))
    if media_type.strip() not in media_types or charset is None:
        wanted = " or ".join(media_types)
        raise Problem(415, "unsupported-media-type", f"Send {wanted}, in UTF-8 or GB 18030.")
    try:
        return media_type.strip(), received_body(request).content.decode(charset)
    except UnicodeDecodeError as error:
        raise Problem(422, "not-text", f"Byte {error.start} of the file is not {charset}; name its charset.") from None
