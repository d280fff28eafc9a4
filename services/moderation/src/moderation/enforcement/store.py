"""Requested actions in MongoDB, each followed to its outcome."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from huiqun.contracts.channel import Action
from huiqun.store import Index, UpdateOne
from huiqun.stream import Work

ACTIONS = "actions"
INDEXES: Mapping[str, Sequence[Index]] = {
    ACTIONS: (
        Index((("state", 1), ("deadline", 1))),
        Index((("group_id", 1), ("requested_at", -1))),
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
