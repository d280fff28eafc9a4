"""Files of rows that come over HTTP: as text, and what is answered where rows are unfit."""

from collections.abc import Collection, Sequence
from typing import Final

from starlette.requests import Request

from huiqun.files.reading import RowFault, RowFormat, UnknownCharsetError, UnreadableFileError, decode_file
from huiqun.web import FieldError, Problem, body_of

#: How many faults an answer names.
MAX_FAULTS: Final = 1_000


def read_uploaded_rows(request: Request, forms: Collection[RowFormat]) -> tuple[str, RowFormat]:
    """The text of the body, in UTF-8 or the charset that it names, and its form, one of `forms`. Problem 415 or 422.

    For a large file call it where processor time is spent, beside the event loop.
    """
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    form = next((each for each in forms if each.media_type == media_type.strip()), None)
    wanted = " or ".join(each.media_type for each in forms)
    if form is None:
        raise Problem(415, "unsupported-media-type", f"Send {wanted}, in UTF-8 or GB 18030.")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    try:
        return decode_file(body_of(request).content, charset or "utf-8"), form
    except UnknownCharsetError as error:
        raise Problem(415, "unsupported-media-type", f"Send {wanted}; {error}.") from None
    except UnreadableFileError as error:
        raise Problem(422, "not-text", f"{str(error).capitalize()}; name its charset.") from None


def row_faults_problem(kind: str, faults: Sequence[RowFault]) -> Problem:
    """The answer to a file of which nothing was taken: each fault with its line. `kind` is the problem's type."""
    errors = [
        FieldError(detail=f"{fault.field}: {fault.reason}", location="body", line=fault.line)
        for fault in faults[:MAX_FAULTS]
    ]
    return Problem(422, kind, f"{len(faults)} rows are unfit, so none was taken.", errors=errors)
