"""Many small updates in one command: the driver's bulk write spends more on each than the update itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import BulkWriteError

from huiqun.store.connection import Collection, Session

# A command is a document, and MongoDB takes none over 16 MiB.
_AT_ONCE: Final = 1_000


async def update_each(collection: Collection, updates: Sequence[Mapping[str, Any]], session: Session) -> None:
    """Carry out updates in any order, written as the update command has them: `q`, `u` and `upsert`.

    Each may be of 15 kB at most. Raises BulkWriteError where the server refuses one.
    """
    for start in range(0, len(updates), _AT_ONCE):
        some = updates[start : start + _AT_ONCE]
        command = {"update": collection.name, "updates": some, "ordered": False}
        answer = await collection.database.command(command, session=session)
        if answer.get("writeErrors"):
            raise BulkWriteError(answer)
