"""Cases, reporters and labelled examples in MongoDB."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from moderation.cases.store import cases, examples, reporters

INDEXES: Mapping[str, Sequence[Index]] = {**cases.INDEXES, **examples.INDEXES, **reporters.INDEXES}

__all__ = ["INDEXES", "cases", "examples", "reporters"]
