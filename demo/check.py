"""A claim about a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A claim about the run and what speaks against it; it holds if nothing does. `shows` are ids of capabilities."""

    claim: str
    against: Sequence[str]
    shows: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        return not self.against

    @property
    def summary(self) -> str:
        """The first objections."""
        rest = len(self.against) - _SHOWN
        return "\n".join([*self.against[:_SHOWN], *([f"and {rest} more"] if rest > 0 else [])])
