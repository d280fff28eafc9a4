"""Draws a sample that anybody can draw again: the same seed and messages give the same sample, in whatever order.

The rank of a message is BLAKE2b, 16 bytes long, of the seed, a line feed and the message's id. The messages of the
lowest ranks are drawn.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import nsmallest

_BYTES = 16
# Place in its group, rank, key.
Drawn = tuple[int, int, str]


@dataclass(slots=True)
class Draw:
    """Takes the messages of one group after the other and remembers no more than it will draw.

    They are known by keys, of which `id_of` makes their ids. `by_group` gives every group the same share, as far as it
    has messages.
    """

    seed: str
    size: int
    by_group: bool = False
    id_of: Callable[[str], str] = str
    _best: dict[str, int] = field(default_factory=dict)
    _drawn: list[Drawn] = field(default_factory=list)

    def offer(self, keys: Iterable[str]) -> None:
        """Consider messages of the present group; one that is offered twice counts once."""
        begun = blake2b(f"{self.seed}\n".encode(), digest_size=_BYTES)
        candidates = dict(self._best)
        for key in keys:
            hashed = begun.copy()
            hashed.update(self.id_of(key).encode())
            candidates[key] = int.from_bytes(hashed.digest())
        self._best = dict(nsmallest(self.size, candidates.items(), _rank))

    def end_group(self) -> None:
        """What comes now is of another group."""
        ranked = enumerate(sorted(self._best.items(), key=_rank))
        found = [(place if self.by_group else 0, rank, key) for place, (key, rank) in ranked]
        self._drawn = nsmallest(self.size, [*self._drawn, *found])
        self._best = {}

    def drawn(self) -> list[str]:
        """The keys of the messages in the sample, as they were drawn; a larger sample begins with a smaller one."""
        return [key for _, _, key in self._drawn]


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    key, rank = item
    return rank, key
