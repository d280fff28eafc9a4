"""Labelled examples in MongoDB: what people decided on which text, for training and for tuning policies."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiqun.runtime.ids import new_id
from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.examples.model import LabelledExample

EXAMPLES = "examples"
EXAMPLE_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    EXAMPLES: (
        Index((("label", 1), ("_id", 1))),
        Index((("case_id", 1),)),
        Index((("decided_at", 1),), expires_after=timedelta(days=1_095)),
    )
}


async def insert_example(work: Work, example: LabelledExample) -> None:
    """Insert an example."""
    await work.collection(EXAMPLES).insert_one(
        {
            "_id": new_id(),
            "text": example.text,
            "label": example.label,
            "suggested": example.suggested,
            "case_id": example.case_id,
            "kind": example.kind,
            "policy": example.policy,
            "decided_by": example.decided_by,
            "decided_at": example.decided_at,
        },
    )


async def read_examples(
    reader: Reader, label: str | None, after: str | None, limit: int
) -> AsyncIterator[LabelledExample]:
    """Read examples in the order of the decisions, those after the given id."""
    query: dict[str, Any] = {"label": label} if label else {}
    if after is not None:
        query["_id"] = {"$gt": after}
    async for document in reader.collection(EXAMPLES).find(query, batch_size=500).sort("_id", 1).limit(limit):
        yield LabelledExample(
            text=document["text"],
            label=document["label"],
            suggested=document["suggested"],
            case_id=document["case_id"],
            kind=document["kind"],
            policy=document["policy"],
            decided_by=document["decided_by"],
            decided_at=document["decided_at"],
            id=document["_id"],
        )
