"""Labelled examples: what people decided on which text, for training and for tuning policies."""

from collections.abc import AsyncIterator
from dataclasses import asdict, fields
from typing import Annotated, Any, Final

from fastapi import Query
from fastapi.responses import StreamingResponse

from huiqun.contracts.envelope import Id
from huiqun.files.writing import FileFormat, format_row
from huiqun.web import ReadDatabase, Router
from huiqun.web.downloads import send_lines
from moderation.cases.store import examples
from moderation.cases.store.examples import Example
from moderation.policies.model import Category

router = Router("/api/v1/examples", tag="cases", role="operator")

MEDIA_TYPE: Final = FileFormat.JSONL.media_type
_COLUMNS: Final = tuple(field.name for field in fields(Example))
WithLabel = Annotated[Category | None, Query(description='Only of this category, or "clean".', examples=["ads"])]
Behind = Annotated[
    Id | None,
    Query(description="The id in the last line that you have.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"]),
]
Lines = Annotated[int, Query(ge=1, le=10_000, description="At most so many lines.", examples=[1_000])]
_LINES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One example a line, in the order of the decisions; fewer than `limit` on the last page",
        "content": {MEDIA_TYPE: {"example": '{"text":"…","label":"ads"}'}},
    }
}


@router.get("", summary="Export labelled examples as JSONL", response_class=StreamingResponse, responses=_LINES)
async def export_examples(
    db: ReadDatabase, label: WithLabel = None, after: Behind = None, limit: Lines = 1_000
) -> StreamingResponse:
    """Masked texts with what people called them. For the next page, send the last line's id as `after`."""
    return send_lines(_lines(examples.read(db, label, after, limit)), MEDIA_TYPE)


async def _lines(found: AsyncIterator[Example]) -> AsyncIterator[bytes]:
    async for example in found:
        yield format_row(FileFormat.JSONL, _COLUMNS, asdict(example))
