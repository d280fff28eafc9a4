"""Draws a sample that anybody can draw again: the same seed and messages give the same sample, in whatever order.

The rank of a message is BLAKE2b, 16 bytes long, of the seed, a line feed and the message's id. The messages of the
lowest ranks are drawn.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import nsmallest

_BYTES = 16
Drawn = tuple[int, int, str]


@dataclass(slots=True)
class Draw:
    """Takes the ids of one group after the other and remembers no more than it will draw.

    `by_group` gives every group the same share, as far as it has messages.
    """

    seed: str
    size: int
    by_group: bool = False
    _best: dict[int, str] = field(default_factory=dict)
    _drawn: list[Drawn] = field(default_factory=list)

    def offer(self, message_ids: Iterable[str]) -> None:
        """Consider messages of the present group; one that is offered twice counts once."""
        begun = blake2b(f"{self.seed}\n".encode(), digest_size=_BYTES)
        candidates = dict(self._best)
        for message_id in message_ids:
            hashed = begun.copy()
            hashed.update(message_id.encode())
            candidates[int.from_bytes(hashed.digest())] = message_id
        self._best = dict(nsmallest(self.size, candidates.items()))

    def end_group(self) -> None:
        """What comes now is of another group."""
        ranked = enumerate(sorted(self._best.items()))
        found = [(place if self.by_group else 0, rank, message_id) for place, (rank, message_id) in ranked]
        self._drawn = nsmallest(self.size, [*self._drawn, *found])
        self._best = {}

    def drawn(self) -> list[str]:
        """The ids of the messages in the sample, as they were drawn; a larger sample begins with a smaller one."""
        return [message_id for _, _, message_id in self._drawn]
