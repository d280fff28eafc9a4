"""Changes that came before their messages, in MongoDB: one read for a batch, and forgotten when the message comes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.store import Index, ReplaceOne
from huiqun.work import Work
from moderation.archive.model import MessageRef
from moderation.lifecycle.model import MAX_EARLY, EarlyChanges

EARLY_CHANGES = "early_changes"
EARLY_CHANGE_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    EARLY_CHANGES: (
        Index((("group_id", 1),)),
        # What has not come by then is not on its topic any more.
        Index((("noted_at", 1),), expires_after=CHANNEL_MESSAGES.retention + timedelta(days=1)),
    )
}


async def find_early_changes(work: Work, keys: Sequence[str]) -> dict[MessageRef, EarlyChanges]:
    """What came before the messages of these keys; most have nothing."""
    if not keys:
        return {}
    query = {"_id": {"$in": keys}}
    cursor = work.collection(EARLY_CHANGES).find(query, {"noted_at": 0})
    found = [_changes(document) for document in await cursor.to_list(None)]
    return {changes.ref: changes for changes in found}


async def has_room_for_changes(work: Work, group_id: str) -> bool:
    """Whether another message of the group may have changes before it comes."""
    count = await work.collection(EARLY_CHANGES).count_documents({"group_id": group_id}, limit=MAX_EARLY)
    return int(count) < MAX_EARLY


async def save_early_changes(work: Work, changes: Iterable[EarlyChanges]) -> None:
    """Remember what came."""
    operations = [
        ReplaceOne({"_id": early_changes_key(*each.ref)}, _document(work, each), upsert=True) for each in changes
    ]
    if operations:
        await work.collection(EARLY_CHANGES).bulk_write(operations)


async def delete_early_changes(work: Work, refs: Collection[MessageRef]) -> None:
    """Forget what came before these messages: they have come."""
    if refs:
        await work.collection(EARLY_CHANGES).delete_many({"_id": {"$in": [early_changes_key(*ref) for ref in refs]}})


def early_changes_key(message_id: str, group_id: str, channel: str | None) -> str:
    """The key of a message; ids hold no slash, and a channel's name, which may, stands last."""
    return f"{group_id}/{message_id}/{channel}"


def _document(work: Work, changes: EarlyChanges) -> dict[str, Any]:
    return {
        **changes.ref._asdict(),
        "edits": [[member_id, revision] for member_id, revision in changes.edits.items()],
        "recalls": changes.recalls,
        "noted_at": work.now,
    }


def _changes(document: Mapping[str, Any]) -> EarlyChanges:
    ref = MessageRef(document["message_id"], document["group_id"], document["channel"])
    return EarlyChanges(ref, dict(document["edits"]), document["recalls"])
