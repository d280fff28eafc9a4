"""Cases, reporters, labelled examples and reports of patrols in MongoDB."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from moderation.cases.store import cases, examples, patrols, reporters

INDEXES: Mapping[str, Sequence[Index]] = {**cases.INDEXES, **examples.INDEXES, **patrols.INDEXES, **reporters.INDEXES}

__all__ = ["INDEXES", "cases", "examples", "patrols", "reporters"]
