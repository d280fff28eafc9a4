"""Requested actions in MongoDB, each followed to its outcome."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from huiqun.contracts.channel import Action
from huiqun.store import Database, Index, UpdateOne
from huiqun.stream import Work

ACTIONS = "actions"
INDEXES: Mapping[str, Sequence[Index]] = {
    ACTIONS: (
        # Ids rise with time.
        Index((("state", 1), ("_id", -1))),
        Index((("group_id", 1), ("_id", -1))),
        Index((("requested_at", 1),), expires_after=timedelta(days=400)),
    )
}
OPEN = ("requested", "assigned")


async def request(work: Work, actions: Sequence[Action]) -> None:
    """Keep actions as asked for."""
    if actions:
        documents = [
            {
                "_id": action.action_id,
                **action.model_dump(mode="python", exclude={"action_id"}, exclude_none=True),
                "kind": action.kind.value,
                "state": "requested",
                "requested_at": work.now,
            }
            for action in actions
        ]
        await work.db[ACTIONS].insert_many(documents, ordered=False, session=work.session)


async def find(database: Database, action_id: str) -> dict[str, Any] | None:
    """The action of this id."""
    return await database[ACTIONS].find_one({"_id": action_id})


async def newest(
    database: Database, *, group_id: str | None, state: str | None, before: str | None, limit: int
) -> list[dict[str, Any]]:
    """The actions of a group, in a state, or all of them; newest first, before the given id."""
    query: dict[str, Any] = {"group_id": group_id, "state": state, "_id": {"$lt": before} if before else None}
    query = {name: value for name, value in query.items() if value is not None}
    return [document async for document in database[ACTIONS].find(query).sort("_id", -1).limit(limit)]


async def settle(work: Work, outcomes: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    """Note the state (and what came with it) of actions by id; one that has ended keeps its end."""
    operations = [
        UpdateOne(
            {"_id": action_id, "state": {"$in": OPEN}}, {"$set": {"state": state, "settled_at": work.now, **facts}}
        )
        for action_id, (state, facts) in outcomes.items()
    ]
    if operations:
        await work.db[ACTIONS].bulk_write(operations, ordered=False, session=work.session)
