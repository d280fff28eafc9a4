"""Ask the channel for actions, follow their receipts, end mutes when they are over."""

from collections.abc import Mapping, Sequence
from typing import Any

from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionRequested,
    ActionUnsupported,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import LiftedSanction, SanctionLifted
from huiqun.runtime.ids import new_id
from huiqun.stream import Work
from huiqun.timers import Timer
from moderation.enforcement import model, store

SOURCE = "huiqun/moderation"
MUTE_ENDS = "mute.ends"

Receipts = ActionCompleted | ActionFailed | ActionUnsupported | ActionAssigned | ActionExpired

_STATES: Mapping[type[Event], str] = {
    ActionCompleted: "completed",
    ActionFailed: "failed",
    ActionUnsupported: "unsupported",
    ActionAssigned: "assigned",
    ActionExpired: "expired",
}


async def request_actions(work: Work, actions: Sequence[tuple[Action, Event | None]]) -> None:
    """Record the actions and publish the requests; each comes with the event that caused it."""
    await store.request(work, [action for action, _ in actions])
    for action, cause in actions:
        work.emit(ActionRequested.about(action.group_id, action, time=work.now, cause=cause, source=SOURCE))


async def record_receipts(receipts: Sequence[Receipts], work: Work) -> None:
    """Note what became of the actions."""
    outcomes: dict[str, tuple[str, Mapping[str, Any]]] = {
        receipt.data.action_id: (_STATES[type(receipt)], _facts(receipt)) for receipt in receipts
    }
    await store.settle(work, outcomes)


async def end_mute(timer: Timer, work: Work) -> None:
    """A mute is over: ask for the member's voice back and say so."""
    group_id, member_id = timer.payload["group_id"], timer.payload["member_id"]
    await request_actions(work, [(model.release(group_id, member_id, new_id(), work.now), None)])
    lifted = LiftedSanction(
        sanction_id=timer.payload["sanction_id"], group_id=group_id, member_id=member_id, cause="expired"
    )
    work.emit(SanctionLifted.about(group_id, lifted, time=work.now))


def _facts(receipt: Receipts) -> dict[str, Any]:
    facts = {"assignee": receipt.data.assignee, "detail": receipt.data.detail}
    return {name: value for name, value in facts.items() if value}
