"""Actions as a test drives them: groups told of, actions asked for, receipts in, time passing; what came of it out."""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from huiqun.channel.actions.api import router
from huiqun.channel.actions.context import ActionContext
from huiqun.channel.actions.following import follow_up_task_kind
from huiqun.channel.actions.handlers import FOLLOW_UP, RECEIPT_EVENTS, record_receipts, request_actions
from huiqun.channel.actions.model import FollowedAction
from huiqun.channel.actions.store import find_action
from huiqun.contracts.channel import (
    Action,
    ActionKind,
    ActionTarget,
    ActionWithdrawn,
    Capabilities,
    Group,
    GroupUpdated,
    Receipt,
)
from huiqun.runtime.ids import new_id
from huiqun.stream import Route
from huiqun.testing.events import NATIVE
from huiqun.testing.rig import Rig
from huiqun.work import Work

T = TypeVar("T")
BY_HAND: Final = Capabilities()  # what a WeCom customer group can do


async def find_superior(_work: Work, _action: Action) -> str | None:
    """Who is above everybody here."""
    return "staff-lead"


@dataclass
class ActionsBench(Rig):
    """A group, and a service that asks the channel for actions in it."""

    group: str = "g1"

    def __post_init__(self) -> None:
        self.wire(
            routes=[Route(RECEIPT_EVENTS, record_receipts)],
            task_kinds={FOLLOW_UP: follow_up_task_kind(find_superior)},
            routers=[router],
        )

    @property
    def asked(self) -> list[Action]:
        """What the channel was asked for, repetitions included."""
        return self.actions()

    @property
    def told(self) -> list[Action]:
        """What staff were told, each once."""
        return list({each.action_id: each for each in self.asked if each.kind is ActionKind.NOTIFY_STAFF}.values())

    @property
    def withdrawn(self) -> list[str]:
        """The ids of the actions that the channel was told to leave."""
        return [event.data.action_id for event in self.emitted(ActionWithdrawn)]

    def action(self, kind: ActionKind = ActionKind.SEND_PRIVATE, **fields: Any) -> Action:
        """An action about a message of a member, not asked for yet."""
        known: dict[str, Any] = {
            "action_id": new_id(),
            "group_id": self.group,
            "kind": kind,
            "target": ActionTarget(member_id="u1", message_id="m1"),
            "content": "请留意群规",
            "reason": "ads",
            "requested_by": "tester",
        }
        return Action(**{**known, **fields})

    async def know_group(self, **fields: Any) -> None:
        """Have the channel tell of the group."""
        group = Group(group_id=self.group, name="惠民理财", owner="staff-1", capabilities=NATIVE).model_copy(
            update=fields
        )
        event = GroupUpdated.create(self.group, group, time=self.clock.moment)
        await self.run(lambda work: self.directory.record_events(work, [event]))

    async def ask(self, *actions: Action, context: ActionContext | None = None) -> None:
        """Ask for actions, in the same context."""
        contexts = {action.action_id: context for action in actions} if context else {}
        await self.run(lambda work: request_actions(work, *actions, contexts=contexts))

    async def answer(self, action: Action, *kinds: Any, **fields: Any) -> None:
        """Deliver receipts of these kinds in one batch."""
        receipt = Receipt(action_id=action.action_id, group_id=self.group, **fields)
        receipts = [kind.create(self.group, receipt, time=self.clock.moment) for kind in kinds]
        await self.deliver(*receipts)

    async def followed(self, action: Action) -> FollowedAction:
        """What has become of an action."""
        found = await find_action(self.reader, action.action_id)
        assert found is not None
        return found

    async def state_of(self, action: Action) -> str:
        """The state of an action."""
        return (await self.followed(action)).state.value
