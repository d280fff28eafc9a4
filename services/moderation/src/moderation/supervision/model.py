"""What a supervisor says of a message, and a sample of messages that anybody can draw again.

The same seed and messages give the same sample, in whatever order: the rank of a message is BLAKE2b, 16 bytes long, of
the seed, a line feed and the message's id. The messages of the lowest ranks are drawn.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from heapq import nsmallest
from typing import Literal

from moderation.archive.model import MessageRef

ReviewOutcome = Literal["ok", "concern"]
_RANK_BYTES = 16


@dataclass(frozen=True, slots=True)
class MessageReview:
    """What a supervisor said of a message."""

    id: str
    ref: MessageRef
    outcome: ReviewOutcome
    note: str
    reviewed_by: str
    reviewed_at: datetime


@dataclass(slots=True)
class SampleDraw:
    """Takes the messages of one group after the other and remembers no more than it will draw.

    They are known by keys, of which `id_of` makes their ids. `by_group` gives every group the same share, as far as it
    has messages.
    """

    seed: str
    size: int
    by_group: bool = False
    id_of: Callable[[str], str] = str
    _best: dict[str, int] = field(default_factory=dict)
    # Place in its group, rank, key.
    _drawn: list[tuple[int, int, str]] = field(default_factory=list)

    def offer_keys(self, keys: Iterable[str]) -> None:
        """Consider messages of the present group; one that is offered twice counts once."""
        seeded = blake2b(f"{self.seed}\n".encode(), digest_size=_RANK_BYTES)
        candidates = dict(self._best)
        for key in keys:
            hashed = seeded.copy()
            hashed.update(self.id_of(key).encode())
            candidates[key] = int.from_bytes(hashed.digest())
        self._best = dict(nsmallest(self.size, candidates.items(), _rank))

    def end_group(self) -> None:
        """End the present group: what comes now is of another."""
        ranked = enumerate(sorted(self._best.items(), key=_rank))
        found = [(place if self.by_group else 0, rank, key) for place, (key, rank) in ranked]
        self._drawn = nsmallest(self.size, [*self._drawn, *found])
        self._best = {}

    def drawn_keys(self) -> list[str]:
        """The keys of the messages in the sample, as they were drawn; a larger sample begins with a smaller one."""
        return [key for _, _, key in self._drawn]


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    key, rank = item
    return rank, key
