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
from moderation.examples import store
from moderation.examples.model import LabelledExample
from moderation.policies.sections.section import Category

router = Router("/api/v1/examples", tag="cases", role="operator")

MEDIA_TYPE: Final = FileFormat.JSONL.media_type
_COLUMNS: Final = tuple(field.name for field in fields(LabelledExample))
LabelFilter = Annotated[
    Category | None, Query(description='Only examples of this category, or those labelled "clean".', examples=["ads"])
]
AfterExample = Annotated[
    Id | None,
    Query(
        description="Only examples after this one: the id in the last line that you have.",
        examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"],
    ),
]
LineLimit = Annotated[
    int, Query(ge=1, le=10_000, description="The largest number of lines to answer with.", examples=[1_000])
]
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One example a line, in the order of the decisions; fewer than `limit` on the last page",
        "content": {MEDIA_TYPE: {"example": '{"text":"…","label":"ads"}'}},
    }
}


@router.get("", summary="Export labelled examples as JSONL", response_class=StreamingResponse, responses=_RESPONSES)
async def export_examples(
    db: ReadDatabase, label: LabelFilter = None, after: AfterExample = None, limit: LineLimit = 1_000
) -> StreamingResponse:
    """Masked texts with what people called them. For the next page, send the last line's id as `after`."""
    return send_lines(_example_lines(store.read_examples(db, label, after, limit)), MEDIA_TYPE)


async def _example_lines(found: AsyncIterator[LabelledExample]) -> AsyncIterator[bytes]:
    async for example in found:
        yield format_row(FileFormat.JSONL, _COLUMNS, asdict(example))
