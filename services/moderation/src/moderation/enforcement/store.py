"""Requested actions in MongoDB, each followed to its outcome."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from huiqun.contracts.channel import Action, ActionKind
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.enforcement.model import How

ACTIONS = "actions"
INDEXES: Mapping[str, Sequence[Index]] = {
    ACTIONS: (
        # Ids rise with time.
        Index((("state", 1), ("_id", -1))),
        Index((("group_id", 1), ("_id", -1))),
        Index((("target.message_id", 1),), where={"target.message_id": {"$exists": True}}),
        # By these, a person is found who asks what is held of them.
        Index((("target.member_id", 1),), where={"target.member_id": {"$exists": True}}),
        Index((("members", 1),), where={"members": {"$exists": True}}),
        Index((("requested_at", 1),), expires_after=timedelta(days=400)),
    )
}
OPEN = ("requested", "assigned")
_ACTION_FIELDS = frozenset(Action.model_fields) - {"action_id"}


@dataclass(frozen=True, slots=True)
class Followed:
    """An action as moderation wants it, how it is carried out and by whom, and how many steps were taken about it.

    `since` is when it was asked for, or when the person was who has it now.
    """

    action: Action
    how: How
    state: str
    since: datetime
    steps: int = 0
    assignee: str | None = None


async def request(work: Work, actions: Sequence[tuple[Action, How]]) -> None:
    """Keep actions as asked for; what the channel cannot do is settled at once."""
    if actions:
        await work.collection(ACTIONS).insert_many(
            [_document(action, how, work.now) for action, how in actions], ordered=False
        )


async def rehearse(work: Work, actions: Sequence[tuple[Action, How]]) -> None:
    """Keep what would have been asked for in a drill; nobody is ever asked for it."""
    if actions:
        shadows = [_document(action, how, work.now) | {"state": "shadow"} for action, how in actions]
        await work.collection(ACTIONS).insert_many(shadows, ordered=False)


async def followed(work: Work, action_id: str) -> Followed | None:
    """The action, if it is known."""
    document = await work.collection(ACTIONS).find_one({"_id": action_id})
    if document is None:
        return None
    action = Action(action_id=action_id, **{name: document[name] for name in _ACTION_FIELDS if name in document})
    since = document.get("assigned_at") or document["requested_at"]
    return Followed(action, How(document["how"]), document["state"], since, document["steps"], document.get("assignee"))


async def note_step(work: Work, action_id: str) -> None:
    """Count a step that was taken about an open action."""
    await work.collection(ACTIONS).update_one({"_id": action_id}, {"$inc": {"steps": 1}})


async def open_in(work: Work, group_id: str) -> int:
    """How many actions in a group have no outcome yet."""
    query = {"group_id": group_id, "state": {"$in": OPEN}}
    return int(await work.collection(ACTIONS).count_documents(query))


async def find(reader: Reader, action_id: str) -> dict[str, Any] | None:
    """The action of this id."""
    return await reader.collection(ACTIONS).find_one({"_id": action_id})


async def newest(
    reader: Reader, *, group_id: str | None, state: str | None, before: str | None, limit: int
) -> list[dict[str, Any]]:
    """The actions of a group, in a state ("open" is each in which something is still to be done), or all of them.

    Newest first, before the given id.
    """
    wanted = {"$in": list(OPEN)} if state == "open" else state
    query: dict[str, Any] = {"group_id": group_id, "state": wanted, "_id": {"$lt": before} if before else None}
    query = {name: value for name, value in query.items() if value is not None}
    return [document async for document in reader.collection(ACTIONS).find(query).sort("_id", -1).limit(limit)]


async def deletions_since(work: Work, moment: datetime, passing_over: Sequence[str]) -> dict[str, int]:
    """How many messages of each group were to be deleted since then, but for those deleted for these reasons."""
    wanted = {
        "requested_at": {"$gte": moment},
        "kind": ActionKind.DELETE_MESSAGE.value,
        "reason": {"$nin": list(passing_over)},
        "state": {"$ne": "withdrawn"},
    }
    counting: list[Mapping[str, Any]] = [
        {"$match": wanted},
        # A deletion that is handed over to a person is asked for twice.
        {"$group": {"_id": {"group": "$group_id", "message": "$target.message_id"}}},
        {"$group": {"_id": "$_id.group", "number": {"$sum": 1}}},
    ]
    cursor = await work.collection(ACTIONS).aggregate(counting)
    return {document["_id"]: document["number"] async for document in cursor}


async def settle(work: Work, outcomes: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    """Note the state (and what came with it) of actions by id; one that has ended keeps its end."""
    operations = [
        UpdateOne(
            {"_id": action_id, "state": {"$in": OPEN}}, {"$set": {"state": state, "settled_at": work.now, **facts}}
        )
        for action_id, (state, facts) in outcomes.items()
    ]
    if operations:
        await work.collection(ACTIONS).bulk_write(operations, ordered=False)


async def hand_to(work: Work, assignees: Mapping[str, Mapping[str, Any]]) -> None:
    """Note that the channel has asked a person for an action, which is a task from then on; once for each action."""
    task = {"state": "assigned", "how": How.STAFF_TASK.value, "steps": 0, "assigned_at": work.now}
    operations = [
        UpdateOne({"_id": action_id, "state": "requested"}, {"$set": {**task, "settled_at": work.now, **facts}})
        for action_id, facts in assignees.items()
    ]
    if operations:
        await work.collection(ACTIONS).bulk_write(operations, ordered=False)


async def withdraw(work: Work, group_id: str, message_id: str) -> list[dict[str, Any]]:
    """Withdraw what is still open of the actions that a message led to; returns all of them, as they were.

    What the channel has done already stays done: the caller asks for its opposite where there is one.
    """
    cursor = work.collection(ACTIONS).find({"target.message_id": message_id, "group_id": group_id})
    found: list[dict[str, Any]] = await cursor.to_list(None)
    waiting = [action["_id"] for action in found if action["state"] in OPEN]
    if waiting:
        change = {"$set": {"state": "withdrawn", "settled_at": work.now}}
        await work.collection(ACTIONS).update_many({"_id": {"$in": waiting}}, change)
    return found


async def open_deletions(work: Work, messages: Collection[tuple[str, str]]) -> list[dict[str, Any]]:
    """The deletions of these messages, (group id, message id) each, that nobody has carried out yet."""
    wanted = {
        "target.message_id": {"$in": [message_id for _, message_id in messages]},
        "kind": ActionKind.DELETE_MESSAGE.value,
        "state": {"$in": list(OPEN)},
    }
    found: list[dict[str, Any]] = await work.collection(ACTIONS).find(wanted).to_list(None)
    return [each for each in found if (each["group_id"], each["target"]["message_id"]) in messages]


def _document(action: Action, how: How, now: datetime) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": action.action_id,
        **action.model_dump(mode="python", exclude={"action_id"}, exclude_none=True),
        "kind": action.kind.value,
        "purpose": action.purpose.value,
        "how": how.value,
        "state": "requested",
        "steps": 0,
        "requested_at": now,
    }
    if action.task is not None:
        document["task"] = action.task.value
    if how is How.UNSUPPORTED:
        document |= {"state": "unsupported", "settled_at": now}
    return document
