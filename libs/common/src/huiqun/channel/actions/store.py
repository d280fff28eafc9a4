"""Requested actions in MongoDB, each with what has become of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.channel.actions.model import OPEN_ACTION_STATES, ActionState, ExecutionMode, FollowedAction
from huiqun.contracts.channel import Action, ActionKind, CompletionStage, FailureCode
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work

ACTIONS: Final = "actions"
ACTION_INDEXES: Mapping[str, Sequence[Index]] = {
    ACTIONS: (
        # Ids rise with time.
        Index((("state", 1), ("_id", -1))),
        Index((("group_id", 1), ("_id", -1))),
        Index((("target.message_id", 1),), where={"target.message_id": {"$exists": True}}),
        # By these, a person is found who asks what is held of them.
        Index((("target.member_id", 1),), where={"target.member_id": {"$exists": True}}),
        Index((("members", 1),), where={"members": {"$exists": True}}),
        Index((("batch_id", 1),), where={"batch_id": {"$exists": True}}),
        Index((("notice_of", 1),), where={"notice_of": {"$exists": True}}),
        Index((("notice_key", 1),), unique=True, where={"notice_key": {"$exists": True}}),
        Index((("requested_at", 1),), expires_after=timedelta(days=400)),
    )
}
OPEN_STATE_VALUES: Final = sorted(state.value for state in OPEN_ACTION_STATES)
# By the name under which a field of an action is stored.
_ACTION_FIELDS: Final = frozenset(
    {each.serialization_alias or name for name, each in Action.model_fields.items()} - {"action_id"}
)
_PROGRESS: Final = tuple(each.name for each in fields(FollowedAction) if each.name not in ("action", "requested_at"))
_ENUMS: Final[Mapping[str, Any]] = {
    "how": ExecutionMode,
    "state": ActionState,
    "code": FailureCode,
    "stage": CompletionStage,
}


async def insert_actions(work: Work, followed: Sequence[FollowedAction]) -> None:
    """Keep actions that nobody has asked for before."""
    if followed:
        await work.collection(ACTIONS).insert_many([_document(each) for each in followed], ordered=False)


async def save_actions(work: Work, changed: Collection[FollowedAction]) -> None:
    """Write back what has become of actions; one that has ended meanwhile keeps its end."""
    operations = []
    for each in changed:
        progress = _progress_fields(each)
        gone = {name: "" for name, value in progress.items() if value in (None, "")}
        kept = {name: value for name, value in progress.items() if name not in gone}
        query = {"_id": each.action_id, "state": {"$in": OPEN_STATE_VALUES}}
        operations.append(UpdateOne(query, {"$set": kept, **({"$unset": gone} if gone else {})}))
    if operations:
        await work.collection(ACTIONS).bulk_write(operations, ordered=False)


async def find_action(reader: Reader, action_id: str) -> FollowedAction | None:
    """Find an action by its id; None where this service has not asked for it."""
    document = await reader.collection(ACTIONS).find_one({"_id": action_id})
    return _followed(document) if document is not None else None


async def find_actions(work: Work, action_ids: Collection[str]) -> dict[str, FollowedAction]:
    """Read the actions of these ids, as far as this service has asked for them."""
    return {each.action_id: each for each in await _find(work, {"_id": {"$in": list(action_ids)}})}


async def list_actions(
    reader: Reader, *, group_id: str | None, state: str | None, before: str | None, limit: int
) -> list[FollowedAction]:
    """List the actions of a group, in a state ("open" is each in which something is still to be done), or all of them.

    Newest first, before the given id.
    """
    wanted = {"$in": OPEN_STATE_VALUES} if state == "open" else state
    query: dict[str, Any] = {"group_id": group_id, "state": wanted, "_id": {"$lt": before} if before else None}
    query = {name: value for name, value in query.items() if value is not None}
    return [_followed(each) async for each in reader.collection(ACTIONS).find(query).sort("_id", -1).limit(limit)]


async def list_actions_about(
    work: Work, messages: Collection[tuple[str, str]], kind: ActionKind | None = None
) -> list[FollowedAction]:
    """List the actions about these messages, (group id, message id) each, whatever has become of them."""
    if not messages:
        return []
    query: dict[str, Any] = {"target.message_id": {"$in": sorted({message_id for _, message_id in messages})}}
    if kind is not None:
        query["kind"] = kind.value
    found = await _find(work, query)
    return [each for each in found if (each.action.group_id, each.action.target.message_id) in messages]


async def list_open_notices(work: Work, action_ids: Collection[str]) -> list[FollowedAction]:
    """List what tells somebody of these actions and has not come to them yet."""
    if not action_ids:
        return []
    return await _find(work, {"notice_of": {"$in": list(action_ids)}, "state": {"$in": OPEN_STATE_VALUES}})


async def has_notice(work: Work, notice_key: str) -> bool:
    """Whether this was told somebody before."""
    return await work.collection(ACTIONS).find_one({"notice_key": notice_key}, {"_id": 1}) is not None


async def count_open_actions(work: Work, **query: str) -> int:
    """Count the actions with these values (`group_id`, or `batch_id` and `assignee`) that have no outcome yet."""
    wanted = {**query, "state": {"$in": OPEN_STATE_VALUES}, "notice_of": {"$exists": False}}
    return int(await work.collection(ACTIONS).count_documents(wanted))


async def count_deleted_messages(work: Work, since: datetime, ignored_reasons: Sequence[str]) -> dict[str, int]:
    """Count the messages of each group that were to be deleted since then, but for those with these reasons."""
    wanted = {
        "requested_at": {"$gte": since},
        "kind": ActionKind.DELETE_MESSAGE.value,
        "reason": {"$nin": list(ignored_reasons)},
        "state": {"$ne": ActionState.WITHDRAWN.value},
    }
    counting: list[Mapping[str, Any]] = [
        {"$match": wanted},
        # A deletion that is handed over to a person is asked for twice.
        {"$group": {"_id": {"group": "$group_id", "message": "$target.message_id"}}},
        {"$group": {"_id": "$_id.group", "number": {"$sum": 1}}},
    ]
    cursor = await work.collection(ACTIONS).aggregate(counting)
    return {document["_id"]: document["number"] async for document in cursor}


async def _find(work: Work, query: Mapping[str, Any]) -> list[FollowedAction]:
    documents = await work.collection(ACTIONS).find(query).to_list(None)
    return [_followed(each) for each in documents]


def _document(followed: FollowedAction) -> dict[str, Any]:
    action = followed.action
    progress = {name: value for name, value in _progress_fields(followed).items() if value not in (None, "")}
    document: dict[str, Any] = {
        "_id": action.action_id,
        **action.model_dump(mode="python", exclude={"action_id"}, exclude_none=True),
        "kind": action.kind.value,
        "purpose": action.purpose.value,
        **progress,
        "requested_at": followed.requested_at,
    }
    if action.task is not None:
        document["task"] = action.task.value
    return document


def _progress_fields(followed: FollowedAction) -> dict[str, Any]:
    """What becomes of an action in time; a person whom the action itself names as its assignee stays."""
    values = {name: getattr(followed, name) for name in _PROGRESS}
    values["assignee"] = followed.assignee or followed.action.assignee
    return {name: str(value) if name in _ENUMS and value is not None else value for name, value in values.items()}


def _followed(document: Mapping[str, Any]) -> FollowedAction:
    known = {name: document[name] for name in _ACTION_FIELDS if name in document}
    progress: dict[str, Any] = {name: document[name] for name in _PROGRESS if name in document}
    for name, kind in _ENUMS.items():
        if name in progress:
            progress[name] = kind(progress[name])
    requested_at = document["requested_at"]
    action = Action.model_validate({"action_id": document["_id"], **known})
    # A release before this one did not say when it asked again.
    return FollowedAction(action, requested_at=requested_at, **{"asked_at": requested_at, **progress})
