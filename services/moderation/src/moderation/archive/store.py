"""Archived messages in MongoDB: a document for each revision of a message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.contracts.moderation import Screened
from huiqun.store import Cursor, Database, Index, UpdateOne
from huiqun.stream import Work

MESSAGES = "messages"
_BY_TIME = (("group_id", 1), ("sent_at", 1))
INDEXES: Mapping[str, Sequence[Index]] = {MESSAGES: (Index(_BY_TIME),)}
# The slash of a revision's key, and the character after it: no id has either, so the keys between are its revisions.
_SLASH, _AFTER_SLASH = "/", "0"
# What a judgement rests on, and what it came to.
_JUDGED = (
    *("group_id", "member_id", "role", "kind", "text", "duration_seconds", "url", "sent_at"),
    *("verdict", "reasons"),
)
_READ_AHEAD = 5_000


@dataclass(frozen=True, slots=True)
class Search:
    """Which messages of a group are wanted; what is None does not matter."""

    group_id: str
    since: datetime | None = None
    until: datetime | None = None
    member_id: str | None = None
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """What was sent from `since` and before `until`, in these groups or in all; `warm_up` is what was before it."""

    warm_up: datetime
    since: datetime
    until: datetime
    groups: Sequence[str] | None = None

    def query(self, start: datetime) -> dict[str, Any]:
        """What was sent from `start` on."""
        groups = {"group_id": {"$in": list(self.groups)}} if self.groups is not None else {}
        return {**groups, "sent_at": {"$gte": start, "$lt": self.until}}


@dataclass(frozen=True, slots=True)
class Archived:
    """A revision of a message; `place` is its number among those of the same moment in the search that found it."""

    document: Mapping[str, Any]
    place: int = 1

    @property
    def message_id(self) -> str:
        """The id without the revision."""
        return str(self.document["_id"]).partition(_SLASH)[0]

    @property
    def revision(self) -> int:
        """0 as first sent."""
        return int(str(self.document["_id"]).partition(_SLASH)[2] or 0)


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


async def search(database: Database, wanted: Search, after: tuple[datetime, int] | None, limit: int) -> list[Archived]:
    """Messages of a group in the order they were sent, after the one of this moment and place.

    What was sent at the same moment stands in the order of arrival, which the index keeps and a page can resume by
    counting; an id in the index as well would cost every message.
    """
    moment, seen = after or (wanted.since, 0)
    sent_at = {"$gte": moment, "$lt": wanted.until}
    query: dict[str, Any] = {
        "group_id": wanted.group_id,
        "sent_at": {operator: bound for operator, bound in sent_at.items() if bound is not None},
        "member_id": wanted.member_id,
        "verdict": wanted.verdict,
    }
    query = {name: value for name, value in query.items() if value not in (None, {})}
    cursor = database[MESSAGES].find(query).sort("sent_at", 1).hint(list(_BY_TIME)).skip(max(seen, 0)).limit(limit)
    found: list[Archived] = []
    async for document in cursor:
        place = seen + 1 if document["sent_at"] == moment else 1
        moment, seen = document["sent_at"], place
        found.append(Archived(document, place))
    return found


async def count(database: Database, span: Span) -> int:
    """How many messages the span has, without what was before it."""
    return int(await database[MESSAGES].count_documents(span.query(span.since), hint=list(_BY_TIME)))


def replay(database: Database, span: Span) -> Cursor:
    """The messages of the span and of what was before it, group by group and in the order they were sent."""
    wanted = dict.fromkeys(_JUDGED, 1)
    cursor = database[MESSAGES].find(span.query(span.warm_up), wanted, batch_size=_READ_AHEAD)
    return cursor.sort(list(_BY_TIME)).hint(list(_BY_TIME))


async def revisions(database: Database, message_id: str) -> list[Archived]:
    """A message as it was first sent and as it was edited, in order."""
    cursor = database[MESSAGES].find({"$or": list(_revisions_of(message_id))})
    return sorted([Archived(document) async for document in cursor], key=lambda found: found.revision)


async def latest(work: Work, message_ids: Iterable[str]) -> dict[str, Screened]:
    """The last revision of each message that is here, by message id."""
    wanted = [query for message_id in set(message_ids) for query in _revisions_of(message_id)]
    found: dict[str, Archived] = {}
    if wanted:
        async for document in work.db[MESSAGES].find({"$or": wanted}, session=work.session):
            archived = Archived(document)
            known = found.get(archived.message_id)
            if known is None or known.revision < archived.revision:
                found[archived.message_id] = archived
    return {message_id: _screened(archived) for message_id, archived in found.items()}


def _revisions_of(message_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"_id": message_id}, {"_id": {"$gt": message_id + _SLASH, "$lt": message_id + _AFTER_SLASH}}


def _screened(archived: Archived) -> Screened:
    document = archived.document
    return Screened(
        message_id=archived.message_id,
        revision=archived.revision,
        group_id=document["group_id"],
        member_id=document["member_id"],
        role=document["role"],
        kind=document["kind"],
        verdict=document["verdict"],
        reasons=document.get("reasons", ()),
        policy_version=document["policy"],
        lexicon_version=document["lexicon"],
        masked_text=document["text"],
        sent_at=document["sent_at"],
    )


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
    if message.duration_seconds is not None:
        document["duration_seconds"] = message.duration_seconds
    if message.url is not None:
        document["url"] = message.url
    if message.reasons:
        document["reasons"] = [reason.model_dump(mode="json") for reason in message.reasons]
    return document
