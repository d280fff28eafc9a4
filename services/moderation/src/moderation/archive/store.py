"""Archived messages in MongoDB: a document for each revision of a message."""

from collections.abc import Mapping, Sequence
from typing import Any

from huiqun.contracts.moderation import Screened
from huiqun.store import Index, UpdateOne
from huiqun.stream import Work

MESSAGES = "messages"
INDEXES: Mapping[str, Sequence[Index]] = {MESSAGES: (Index((("group_id", 1), ("sent_at", 1))),)}


def key_of(message_id: str, revision: int) -> str:
    """The id of an archived revision."""
    return message_id if revision == 0 else f"{message_id}/{revision}"


async def append(work: Work, messages: Sequence[Screened]) -> None:
    """Keep judged messages."""
    if messages:
        await work.db[MESSAGES].insert_many(list(map(_document, messages)), ordered=False, session=work.session)


async def mark_recalled(work: Work, recalls: Mapping[str, str]) -> None:
    """Note who withdrew which message (message id to member id); the record stays."""
    operations = [
        UpdateOne({"_id": message_id}, {"$set": {"recalled_by": member_id, "recalled_at": work.now}})
        for message_id, member_id in recalls.items()
    ]
    if operations:
        await work.db[MESSAGES].bulk_write(operations, ordered=False, session=work.session)


def _document(message: Screened) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": key_of(message.message_id, message.revision),
        "group_id": message.group_id,
        "member_id": message.member_id,
        "role": message.role.value,
        "kind": message.kind.value,
        "verdict": message.verdict.value,
        "text": message.masked_text,
        "sent_at": message.sent_at,
        "policy": message.policy_version,
        "lexicon": message.lexicon_version,
    }
    if message.reasons:
        document["reasons"] = [reason.model_dump(mode="json") for reason in message.reasons]
    return document
