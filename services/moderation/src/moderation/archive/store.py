"""Archived messages in MongoDB: a document for each revision of a message.

What was said is never changed. A recall is noted beside it, and `expires_on` follows the policy and the holds.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from huiqun.store import Cursor, Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.archive.model import (
    CONTEXT_FIELDS,
    ArchivedMessage,
    ArchiveEntry,
    ArchivePlace,
    MessageRef,
    MessageSearch,
    PersonalDataToken,
    ReplayPeriod,
    RevisionKey,
    format_revision_key,
    revision_key_bounds,
)

MESSAGES = "messages"
_BY_TIME: Final = (("group_id", 1), ("sent_at", 1))
ARCHIVE_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    MESSAGES: (
        Index(_BY_TIME),
        Index((("expires_on", 1),), expires_after=timedelta(0)),
        # What somebody wrote in all groups, for when they ask to see it.
        Index((("member_id", 1),)),
        Index((("personal.hash", 1),), where={"personal": {"$exists": True}}),
    )
}
# What a judgement rests on, and what it came to.
_JUDGED_FIELDS: Final = (
    *("group_id", "member_id", "role", "kind", "text", "duration_seconds", "url", "left_out", "sent_at"),
    *("verdict", "reasons"),
)
_READ_AT_ONCE: Final = 5_000
_EXISTS: Final = {"$exists": True}


async def insert_messages(work: Work, entries: Sequence[ArchiveEntry]) -> None:
    """Keep judged messages."""
    if entries:
        await work.collection(MESSAGES).insert_many(list(map(_document, entries)), ordered=False)


async def mark_messages_recalled(work: Work, recalls: Mapping[RevisionKey, str]) -> None:
    """Note who withdrew which message (key to member id); the record stays, and says who was the first to do so."""
    operations = [
        UpdateOne(
            {"_id": str(key), "recalled_by": {"$exists": False}},
            {"$set": {"recalled_by": member_id, "recalled_at": work.now}},
        )
        for key, member_id in recalls.items()
    ]
    if operations:
        await work.collection(MESSAGES).bulk_write(operations, ordered=False)


async def set_expiry_date(work: Work, keys: Sequence[str], expires_on: datetime | None) -> None:
    """Let messages expire on a day, or not at all."""
    change = {"$unset": {"expires_on": ""}} if expires_on is None else {"$set": {"expires_on": expires_on}}
    await work.collection(MESSAGES).update_many({"_id": {"$in": list(keys)}}, change)


async def list_messages(
    reader: Reader, search: MessageSearch, after: ArchivePlace | None, limit: int
) -> list[ArchivedMessage]:
    """Messages of a group in their order, after a place.

    The index has the time alone, because an id in it would cost every message: those of the moment at which the page
    begins or ends are put in order here, and only they.
    """

    async def read(query: Mapping[str, Any], order: str, at_most: int) -> list[dict[str, Any]]:
        # Without the hint, the order by id would make the server walk through every id of the archive.
        cursor = reader.collection(MESSAGES).find(query, search.fields).sort(order, 1).hint(list(_BY_TIME))
        return list(await cursor.limit(at_most).batch_size(at_most).to_list(None))

    found: list[dict[str, Any]] = []
    query = _search_query(search)
    if after is not None and (search.since is None or after.sent_at >= search.since):
        if search.until is None or after.sent_at < search.until:
            found = await read({**query, **_beside(after)}, "_id", limit)
        query["sent_at"] = {**query.get("sent_at", {}), "$gt": after.sent_at}
    left = limit - len(found)
    if left > 0:
        more = await read(query, "sent_at", left + 1)
        if len(more) > left and more[-1]["sent_at"] == more[-2]["sent_at"]:
            last = more[-1]["sent_at"]
            more = [document for document in more if document["sent_at"] < last]
            more += await read({**query, **_beside(ArchivePlace(last, ""))}, "_id", left - len(more))
        found += sorted(more[:left], key=lambda document: (document["sent_at"], document["_id"]))
    return list(map(ArchivedMessage, found))


async def count_messages(reader: Reader, search: MessageSearch) -> int:
    """How many messages a search finds."""
    return int(await reader.collection(MESSAGES).count_documents(_search_query(search), hint=list(_BY_TIME)))


async def count_verdicts(reader: Reader, search: MessageSearch) -> dict[str, int]:
    """How many messages of a group were judged how, by verdict."""
    pipeline = [{"$match": _search_query(search)}, {"$group": {"_id": "$verdict", "messages": {"$sum": 1}}}]
    cursor = await reader.collection(MESSAGES).aggregate(pipeline, hint=dict(_BY_TIME))
    return {document["_id"]: document["messages"] async for document in cursor}


async def find_revisions(reader: Reader, refs: Collection[MessageRef]) -> dict[MessageRef, list[ArchivedMessage]]:
    """The archived revisions of each of these messages that has any, by message, the latest last."""
    pairs = {(ref.message_id, ref.group_id) for ref in refs}
    found: dict[MessageRef, list[ArchivedMessage]] = {}
    if pairs:
        query = {"$or": [_key_query(revision_key_bounds(*pair)) for pair in pairs]}
        read = list(map(ArchivedMessage, await reader.collection(MESSAGES).find(query).to_list(None)))
        for ref, revisions in groupby(sorted(read, key=_by_message), lambda each: each.key.ref):
            found[ref] = list(revisions)
            # Who does not know the channel means the message that there is.
            found.setdefault(ref._replace(channel=None), found[ref])
    return {ref: found[ref] for ref in refs if ref in found}


async def list_messages_of_id(
    reader: Reader, message_id: str, group_id: str | None = None
) -> list[list[ArchivedMessage]]:
    """The messages of this id, in one group or in all of them: of each its revisions, the latest last."""
    cursor = reader.collection(MESSAGES).find(_key_query(revision_key_bounds(message_id, group_id)))
    read = sorted(map(ArchivedMessage, await cursor.to_list(None)), key=_by_message)
    return [list(revisions) for _, revisions in groupby(read, lambda each: each.key.ref)]


async def list_messages_of_keys(reader: Reader, keys: Sequence[str]) -> list[ArchivedMessage]:
    """The messages of these keys, as far as they are still here; in the order of the keys given."""
    found = {
        document["_id"]: ArchivedMessage(document)
        async for document in reader.collection(MESSAGES).find({"_id": {"$in": list(keys)}})
    }
    return [found[key] for key in keys if key in found]


async def list_messages_with_token(
    reader: Reader, tokens: Sequence[PersonalDataToken], after: ArchivePlace | None, limit: int
) -> list[ArchivedMessage]:
    """The messages with this personal data, in order of time over all groups; `tokens` are of one kind."""
    token = {"hash": {"$in": [each.hash for each in tokens]}, "kind": tokens[0].kind.value}
    query: dict[str, Any] = {"personal": {"$elemMatch": token, **_EXISTS}}
    if after is not None:
        at, key = after
        query["$or"] = [{"sent_at": {"$gt": at}}, {"sent_at": at, "_id": {"$gt": key}}]
    cursor = reader.collection(MESSAGES).find(query).sort([("sent_at", 1), ("_id", 1)]).limit(limit)
    return [ArchivedMessage(document) async for document in cursor]


async def read_original_keys(reader: Reader, search: MessageSearch) -> AsyncIterator[list[str]]:
    """The keys of messages of a group, edits left out, many at a time."""
    query = _search_query(search)
    cursor = reader.collection(MESSAGES).find(query, {"_id": 1}).hint(list(_BY_TIME)).batch_size(_READ_AT_ONCE)
    while found := await cursor.to_list(_READ_AT_ONCE):
        yield [document["_id"] for document in found if not RevisionKey.parse(document["_id"]).revision]


async def list_group_ids(reader: Reader, after: str | None, limit: int) -> list[str]:
    """The groups that have messages, by id, after the given one; it jumps from group to group along the index."""
    pipeline: list[dict[str, Any]] = [
        {"$match": {"group_id": {"$gt": after or ""}}},
        {"$sort": {"group_id": 1}},
        {"$group": {"_id": "$group_id"}},
        {"$sort": {"_id": 1}},
        {"$limit": limit},
    ]
    cursor = await reader.collection(MESSAGES).aggregate(pipeline, hint=dict(_BY_TIME))
    return [document["_id"] async for document in cursor]


async def count_replayed_messages(reader: Reader, period: ReplayPeriod) -> int:
    """How many messages the period has, without what was before it."""
    query = _replay_query(period, period.since)
    return int(await reader.collection(MESSAGES).count_documents(query, hint=list(_BY_TIME)))


def open_replay(reader: Reader, period: ReplayPeriod) -> Cursor:
    """Read the messages of the period and of what was before it, group by group and in the order they were sent."""
    query, fields = _replay_query(period, period.warm_up), dict.fromkeys(_JUDGED_FIELDS, 1)
    cursor = reader.collection(MESSAGES).find(query, fields, batch_size=_READ_AT_ONCE)
    return cursor.sort(list(_BY_TIME)).hint(list(_BY_TIME))


def _beside(place: ArchivePlace) -> dict[str, Any]:
    """What was sent at the same moment, and stands after it."""
    return {"sent_at": place.sent_at, "_id": {"$gt": place.key}}


def _key_query(bounds: tuple[str, str]) -> dict[str, Any]:
    return {"_id": {"$gt": bounds[0], "$lt": bounds[1]}}


def _by_message(message: ArchivedMessage) -> tuple[str, str, str, int]:
    key = message.key
    return key.message_id, key.group_id, key.channel, key.revision


def _search_query(search: MessageSearch) -> dict[str, Any]:
    bounds = {"$gte": search.since, "$lt": search.until}
    query = {
        "group_id": search.group_id,
        "sent_at": {operator: bound for operator, bound in bounds.items() if bound is not None},
        "member_id": search.member_id,
        "verdict": search.verdict,
    }
    return {name: value for name, value in query.items() if value not in (None, {})}


def _replay_query(period: ReplayPeriod, start: datetime) -> dict[str, Any]:
    groups = {"group_id": {"$in": list(period.groups)}} if period.groups is not None else {}
    return {**groups, "sent_at": {"$gte": start, "$lt": period.until}}


def _document(entry: ArchiveEntry) -> dict[str, Any]:
    message = entry.screened
    document: dict[str, Any] = {
        "_id": format_revision_key(message.message_id, message.group_id, message.revision, message.channel),
        "group_id": message.group_id,
        "member_id": message.member_id,
        "role": message.role._value_,
        "kind": message.kind._value_,
        "verdict": message.verdict._value_,
        "text": message.masked_text,
        "sent_at": message.sent_at,
        "archived_at": entry.archived_at,
        "policy": message.policy_version,
        "lexicon": message.lexicon_version,
    }
    if message.duration_seconds is not None:
        document["duration_seconds"] = message.duration_seconds
    if message.url is not None:
        document["url"] = message.url
    if entry.recalled_by is not None:
        document |= {"recalled_by": entry.recalled_by, "recalled_at": entry.archived_at}
    if entry.expires_on is not None:
        document["expires_on"] = entry.expires_on
    if message.left_out:
        document["left_out"] = message.left_out
    if message.mentions or message.reply_to is not None or message.quoted is not None:
        document |= message.model_dump(
            mode="json", include=set(CONTEXT_FIELDS), exclude_defaults=True, exclude_none=True
        )
    if message.reasons:
        document["reasons"] = [reason.model_dump(mode="json", exclude_none=True) for reason in message.reasons]
    if entry.personal:
        document["personal"] = [{"kind": token.kind.value, "hash": token.hash} for token in entry.personal]
    return document
