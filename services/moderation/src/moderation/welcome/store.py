"""What is remembered of each group in MongoDB: newcomers not yet greeted, rules last seen, what is scheduled."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from huiqun.store import Index, Reader, ReplaceOne
from huiqun.work import Work
from moderation.welcome.model import GroupState

GROUP_STATES: Final = "membership_groups"
WELCOME_INDEXES: Final[Mapping[str, Sequence[Index]]] = {GROUP_STATES: ()}


async def list_group_states(work: Work, group_ids: Iterable[str]) -> dict[str, GroupState]:
    """Return the states of groups by id; a new one for a group that has none."""
    wanted = list(group_ids)
    cursor = work.collection(GROUP_STATES).find({"_id": {"$in": wanted}})
    found = {document["_id"]: _state(document) for document in await cursor.to_list(None)} if wanted else {}
    return {group_id: found.get(group_id) or GroupState(group_id) for group_id in wanted}


async def find_posting_time(reader: Reader, group_id: str) -> datetime | None:
    """Find when the rules were last posted in a group."""
    document = await reader.collection(GROUP_STATES).find_one({"_id": group_id}, {"posted_at": 1})
    return document["posted_at"] if document else None


async def save_group_states(work: Work, states: Iterable[GroupState]) -> None:
    """Write the states back."""
    operations = [ReplaceOne({"_id": state.group_id}, _document(state), upsert=True) for state in states]
    if operations:
        await work.collection(GROUP_STATES).bulk_write(operations, ordered=False)


def _document(state: GroupState) -> dict[str, Any]:
    return {
        "_id": state.group_id,
        "planned": state.planned,
        "rules_version": state.rules_version,
        "schedules": dict(state.schedules),
        "newcomers": [{"member_id": member_id, "named": named} for member_id, named in state.newcomers.items()],
        "greet_at": state.greet_at,
        "posted_at": state.posted_at,
        "leaving_answered_at": state.leaving_answered_at,
    }


def _state(document: Mapping[str, Any]) -> GroupState:
    return GroupState(
        group_id=document["_id"],
        planned=document["planned"],
        rules_version=document["rules_version"],
        schedules=document["schedules"],
        # Those that a release before this one noted have a name instead: they are greeted without it.
        newcomers={entry["member_id"]: entry.get("named", False) for entry in document["newcomers"]},
        greet_at=document["greet_at"],
        posted_at=document["posted_at"],
        leaving_answered_at=document["leaving_answered_at"],
    )
