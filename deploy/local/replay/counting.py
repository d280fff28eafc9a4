"""Counts on the other side: is there exactly one verdict for every message that was sent?"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from huiqun.store import Database
from local.replay.following import VerdictLog

_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class ReplayCount:
    """What was sent and what came of it. `messages` counts each message once, however often it was sent."""

    sent: int
    messages: int
    heard: VerdictLog
    verdicts: Counter[str]
    dead: int
    seconds: float

    @property
    def archived(self) -> int:
        """Messages with a verdict in MongoDB, where the key allows one only."""
        return self.verdicts.total()

    @property
    def right(self) -> bool:
        """Whether every message was judged once, in both places."""
        return self.archived == self.messages and self.heard.complete and self.heard.judged_again == 0


async def list_archived_verdicts(database: Database, keys: Collection[str]) -> dict[str, str]:
    """The verdicts in MongoDB of the messages with these keys."""
    found: dict[str, str] = {}
    for chunk in _chunks(list(keys)):
        cursor = database["messages"].find({"_id": {"$in": chunk}}, {"verdict": 1})
        found.update({document["_id"]: document["verdict"] async for document in cursor})
    return found


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[at : at + _CHUNK] for at in range(0, len(keys), _CHUNK))
