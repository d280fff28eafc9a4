"""Standings in MongoDB: one read and one write for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from struct import Struct
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.standings.model import Standing, Strike, standing_key

STANDINGS = "standings"
STANDING_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    STANDINGS: (
        Index((("member_id", 1),)),
        # A day, not a moment: an index on what every message changes would cost as much as the message.
        Index((("active_on", 1),), expires_after=timedelta(days=400)),
    )
}

# Milliseconds since 1970 and a hash, eight bytes each: an array of numbers takes three times as long to read.
_ENTRY = Struct("<qq")
# What only the indexes are for: the key says the first two, and the third goes with the day.
_UNREAD = {"group_id": 0, "member_id": 0, "active_on": 0}


async def list_standings(work: Work, members: Mapping[str, tuple[str, str]]) -> dict[str, Standing]:
    """Read the standings of these (group, member) pairs, which come by key; those that there are, by key."""
    # All in the first answer, with room for one more: a full one would make the driver ask whether that was all.
    cursor = work.collection(STANDINGS).find({"_id": {"$in": list(members)}}, _UNREAD, batch_size=len(members) + 1)
    found = {document.pop("_id"): document for document in await cursor.to_list(None)}
    return {key: _standing(members[key], document) for key, document in found.items()}


async def find_standing(reader: Reader, group_id: str, member_id: str) -> Standing | None:
    """Find a member's standing in a group; None where they have never written."""
    document = await reader.collection(STANDINGS).find_one(
        {"_id": standing_key(group_id, member_id)}, {**_UNREAD, "_id": 0}
    )
    return _standing((group_id, member_id), document) if document else None


async def list_acquaintances(
    reader: Reader, groups: Sequence[str] | None, *, before: datetime
) -> dict[str, tuple[datetime, int]]:
    """By key, members of these groups or of all who wrote before: since when, and how much of substance by now."""
    query: dict[str, Any] = {"since": {"$lt": before}}
    if groups is not None:
        query["group_id"] = {"$in": list(groups)}
    cursor = reader.collection(STANDINGS).find(query, {"since": 1, "substantial": 1}, batch_size=5_000)
    return {document["_id"]: (document["since"], document["substantial"]) async for document in cursor}


async def save_standings(work: Work, standings: Iterable[Standing]) -> None:
    """Write back what has changed in the standings.

    A replacement would have the server look at every index for every message; what is indexed hardly ever changes.
    """
    today = work.now.replace(hour=0, minute=0, second=0, microsecond=0)
    updates = [update for standing in standings if (update := _update(standing, today)) is not None]
    if updates:
        await work.collection(STANDINGS).update_each(updates)


def _update(standing: Standing, today: datetime) -> dict[str, Any] | None:
    """What makes the stored document that of the standing; None where it is."""
    stored = standing.stored
    document = standing.stored = _document(standing)
    if stored is None:
        indexed = {"group_id": standing.group_id, "member_id": standing.member_id, "active_on": today}
        return {"q": {"_id": standing.key}, "u": {"$set": {**indexed, **document}}, "upsert": True}
    change: dict[str, Any] = {}
    if changed := {name: value for name, value in document.items() if stored.get(name) != value}:
        change["$set"] = {**changed, "active_on": today} if "day" in changed else changed
    if not stored.keys() <= document.keys():
        change["$unset"] = dict.fromkeys(stored.keys() - document.keys(), "")
    return {"q": {"_id": standing.key}, "u": change} if change else None


def _document(standing: Standing) -> dict[str, Any]:
    """The document without its id and what is only indexed."""
    document: dict[str, Any] = {
        "day": standing.day,
        "counted": standing.counted,
        "substantial": standing.substantial,
        "recent": b"".join([_ENTRY.pack(*entry) for entry in standing.recent]),
    }
    if standing.strikes:
        document["strikes"] = [_strike_fields(strike) for strike in standing.strikes]
    if standing.since is not None:
        document["since"] = standing.since
    if standing.short_texts:
        document["pieces"] = [list(piece) for piece in standing.short_texts]
    if standing.mode_notice_at is not None:
        document["hushed_at"] = standing.mode_notice_at
    return document


def _strike_fields(strike: Strike) -> dict[str, Any]:
    # Spelt out: dataclasses.asdict copies deeply and took half of a batch's time.
    return {
        "id": strike.id,
        "message_id": strike.message_id,
        "category": strike.category,
        "weight": strike.weight,
        "at": strike.at,
        "rung": strike.rung,
        "until": strike.until,
    }


def _standing(member: tuple[str, str], document: dict[str, Any]) -> Standing:
    """What a member's document says; the document itself stays with it, to tell later what has changed."""
    group_id, member_id = member
    return Standing(
        group_id=group_id,
        member_id=member_id,
        day=document["day"],
        counted=document["counted"],
        # A list of numbers is of an earlier release: what it says of the last minutes is let go.
        recent=list(_ENTRY.iter_unpack(recent)) if isinstance(recent := document["recent"], bytes) else [],
        strikes=[Strike(**strike) for strike in document["strikes"]] if "strikes" in document else [],
        since=document.get("since"),
        substantial=document["substantial"],
        short_texts=[(at, text) for at, text in document["pieces"]] if "pieces" in document else [],
        mode_notice_at=document.get("hushed_at"),
        stored=document,
    )
