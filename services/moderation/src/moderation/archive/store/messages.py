"""Archived messages in MongoDB: a document for each revision of a message.

What was said is never changed. A recall is noted beside it, and `expires_on` follows the policy and the holds.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from huiqun.contracts.moderation import Screened
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.archive.model import Entry, MessageRef, RevisionKey, Token
from moderation.archive.model.keys import key_of, range_of

MESSAGES = "messages"
BY_TIME = (("group_id", 1), ("sent_at", 1))
INDEXES: Mapping[str, Sequence[Index]] = {
    MESSAGES: (
        Index(BY_TIME),
        Index((("expires_on", 1),), expires_after=timedelta(0)),
        # What somebody wrote in all groups, for when they ask to see it.
        Index((("member_id", 1),)),
        Index((("personal.hash", 1),), where={"personal": {"$exists": True}}),
    )
}
_READ_AT_ONCE: Final = 5_000
_FOUND: Final = {"$exists": True}
_CONTEXT: Final = frozenset({"mentions", "reply_to", "quoted"})


@dataclass(frozen=True, slots=True)
class Search:
    """Which messages of a group are wanted; what is None does not matter. `fields` are all that is read of them."""

    group_id: str
    since: datetime | None = None
    until: datetime | None = None
    member_id: str | None = None
    verdict: str | None = None
    fields: tuple[str, ...] | None = None


class Place(NamedTuple):
    """Where a message stands in its group: by time, and by key among those of the same moment."""

    sent_at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Archived:
    """A revision of a message."""

    document: Mapping[str, Any]

    @property
    def key(self) -> RevisionKey:
        """Which revision of which message it is."""
        return RevisionKey.parse(self.document["_id"])

    @property
    def message_id(self) -> str:
        """The message's id, within its group."""
        return self.key.message_id

    @property
    def revision(self) -> int:
        """0 as first sent."""
        return self.key.revision

    @property
    def place(self) -> Place:
        """Where it stands in its group."""
        return Place(self.document["sent_at"], self.document["_id"])


async def append(work: Work, entries: Sequence[Entry]) -> None:
    """Keep judged messages."""
    if entries:
        await work.collection(MESSAGES).insert_many(list(map(_document, entries)), ordered=False)


async def mark_recalled(work: Work, recalls: Mapping[RevisionKey, str]) -> None:
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


async def search(reader: Reader, wanted: Search, after: Place | None, limit: int) -> list[Archived]:
    """Messages of a group in their order, after a place.

    The index has the time alone, because an id in it would cost every message: those of the moment at which the page
    begins or ends are put in order here, and only they.
    """

    async def read(query: Mapping[str, Any], order: str, at_most: int) -> list[dict[str, Any]]:
        # Without the hint, the order by id would make the server walk through every id of the archive.
        cursor = reader.collection(MESSAGES).find(query, wanted.fields).sort(order, 1).hint(list(BY_TIME))
        return list(await cursor.limit(at_most).batch_size(at_most).to_list(None))

    found: list[dict[str, Any]] = []
    query = _query(wanted)
    if after is not None and (wanted.since is None or after.sent_at >= wanted.since):
        if wanted.until is None or after.sent_at < wanted.until:
            found = await read({**query, **_beside(after)}, "_id", limit)
        query["sent_at"] = {**query.get("sent_at", {}), "$gt": after.sent_at}
    left = limit - len(found)
    if left > 0:
        more = await read(query, "sent_at", left + 1)
        if len(more) > left and more[-1]["sent_at"] == more[-2]["sent_at"]:
            last = more[-1]["sent_at"]
            more = [document for document in more if document["sent_at"] < last]
            more += await read({**query, **_beside(Place(last, ""))}, "_id", left - len(more))
        found += sorted(more[:left], key=lambda document: (document["sent_at"], document["_id"]))
    return list(map(Archived, found))


async def count(reader: Reader, wanted: Search) -> int:
    """How many messages that is."""
    return int(await reader.collection(MESSAGES).count_documents(_query(wanted), hint=list(BY_TIME)))


async def verdicts(reader: Reader, wanted: Search) -> dict[str, int]:
    """How many messages of a group were judged how."""
    pipeline = [{"$match": _query(wanted)}, {"$group": {"_id": "$verdict", "messages": {"$sum": 1}}}]
    cursor = await reader.collection(MESSAGES).aggregate(pipeline, hint=dict(BY_TIME))
    return {document["_id"]: document["messages"] async for document in cursor}


async def find_revisions(reader: Reader, refs: Collection[MessageRef]) -> dict[MessageRef, list[Archived]]:
    """The archived revisions of each of these messages that has any, by message, the latest last."""
    pairs = {(ref.message_id, ref.group_id) for ref in refs}
    found: dict[MessageRef, list[Archived]] = {}
    if pairs:
        wanted = {"$or": [_within(range_of(*pair)) for pair in pairs]}
        read = [Archived(each) for each in await reader.collection(MESSAGES).find(wanted).to_list(None)]
        for ref, revisions in groupby(sorted(read, key=lambda each: _by_message(each.key)), lambda each: each.key.ref):
            found[ref] = list(revisions)
            # Who does not know the channel means the message that there is.
            found.setdefault(ref._replace(channel=None), found[ref])
    return {ref: found[ref] for ref in refs if ref in found}


async def same_id(reader: Reader, message_id: str, group_id: str | None = None) -> list[list[Archived]]:
    """The messages of this id, in one group or in all of them: of each its revisions, the latest last."""
    cursor = reader.collection(MESSAGES).find({**_within(range_of(message_id, group_id))})
    read = sorted([Archived(each) for each in await cursor.to_list(None)], key=lambda each: _by_message(each.key))
    return [list(revisions) for _, revisions in groupby(read, lambda each: each.key.ref)]


async def latest(work: Work, refs: Collection[MessageRef]) -> dict[MessageRef, Screened]:
    """The last revision of each message that is here, by message."""
    found = await find_revisions(work, refs)
    return {ref: screened(revisions[-1]) for ref, revisions in found.items()}


async def firsts(reader: Reader, keys: Sequence[str]) -> list[Archived]:
    """The messages of these keys, as far as they are still here; in the order of the keys given."""
    found = {
        document["_id"]: Archived(document)
        async for document in reader.collection(MESSAGES).find({"_id": {"$in": list(keys)}})
    }
    return [found[key] for key in keys if key in found]


async def holding(work: Work, tokens: Sequence[Token], after: Place | None, limit: int) -> list[Archived]:
    """The messages with this personal data, in order of time over all groups; `tokens` are of one kind."""
    token = {"hash": {"$in": [each.hash for each in tokens]}, "kind": tokens[0].kind.value}
    query: dict[str, Any] = {"personal": {"$elemMatch": token, **_FOUND}}
    if after is not None:
        at, key = after
        query["$or"] = [{"sent_at": {"$gt": at}}, {"sent_at": at, "_id": {"$gt": key}}]
    cursor = work.collection(MESSAGES).find(query).sort([("sent_at", 1), ("_id", 1)]).limit(limit)
    return [Archived(document) async for document in cursor]


async def first_keys(reader: Reader, wanted: Search) -> AsyncIterator[list[str]]:
    """The keys of messages of a group, edits left out, many at a time."""
    cursor = reader.collection(MESSAGES).find(_query(wanted), {"_id": 1}).hint(list(BY_TIME)).batch_size(_READ_AT_ONCE)
    while found := await cursor.to_list(_READ_AT_ONCE):
        yield [document["_id"] for document in found if not RevisionKey.parse(document["_id"]).revision]


async def groups(reader: Reader, after: str | None, limit: int) -> list[str]:
    """The groups that have messages, by id, after the given one; it jumps from group to group along the index."""
    pipeline: list[dict[str, Any]] = [
        {"$match": {"group_id": {"$gt": after or ""}}},
        {"$sort": {"group_id": 1}},
        {"$group": {"_id": "$group_id"}},
        {"$sort": {"_id": 1}},
        {"$limit": limit},
    ]
    cursor = await reader.collection(MESSAGES).aggregate(pipeline, hint=dict(BY_TIME))
    return [document["_id"] async for document in cursor]


async def set_expiry(work: Work, keys: Sequence[str], expires_on: datetime | None) -> None:
    """Let messages expire on a day, or not at all."""
    change = {"$unset": {"expires_on": ""}} if expires_on is None else {"$set": {"expires_on": expires_on}}
    await work.collection(MESSAGES).update_many({"_id": {"$in": list(keys)}}, change)


def _beside(place: Place) -> dict[str, Any]:
    """What was sent at the same moment, and stands after it."""
    return {"sent_at": place.sent_at, "_id": {"$gt": place.key}}


def _within(bounds: tuple[str, str]) -> dict[str, Any]:
    return {"_id": {"$gt": bounds[0], "$lt": bounds[1]}}


def _by_message(key: RevisionKey) -> tuple[str, str, str, int]:
    return key.message_id, key.group_id, key.channel, key.revision


def screened(archived: Archived) -> Screened:
    """What was made known of an archived revision."""
    document = archived.document
    key = archived.key
    return Screened(
        channel=key.channel,
        message_id=key.message_id,
        revision=key.revision,
        group_id=document["group_id"],
        member_id=document["member_id"],
        role=document["role"],
        kind=document["kind"],
        verdict=document["verdict"],
        reasons=document.get("reasons", ()),
        policy_version=document["policy"],
        lexicon_version=document["lexicon"],
        masked_text=document["text"],
        left_out=document.get("left_out", 0),
        sent_at=document["sent_at"],
        **{name: document[name] for name in _CONTEXT.intersection(document)},
    )


def _query(wanted: Search) -> dict[str, Any]:
    bounds = {"$gte": wanted.since, "$lt": wanted.until}
    query = {
        "group_id": wanted.group_id,
        "sent_at": {operator: bound for operator, bound in bounds.items() if bound is not None},
        "member_id": wanted.member_id,
        "verdict": wanted.verdict,
    }
    return {name: value for name, value in query.items() if value not in (None, {})}


def _document(entry: Entry) -> dict[str, Any]:
    message = entry.screened
    document: dict[str, Any] = {
        "_id": key_of(message.message_id, message.group_id, message.revision, message.channel),
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
        document |= message.model_dump(mode="json", include=set(_CONTEXT), exclude_defaults=True, exclude_none=True)
    if message.reasons:
        document["reasons"] = [reason.model_dump(mode="json", exclude_none=True) for reason in message.reasons]
    if entry.personal:
        document["personal"] = [{"kind": token.kind.value, "hash": token.hash} for token in entry.personal]
    return document
