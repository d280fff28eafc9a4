"""Actions as a test drives them: groups told of, actions asked for, receipts in, time passing; what came of it out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from huiqun.channel.actions.context import ActionContext
from huiqun.channel.actions.following import follow_up_kind
from huiqun.channel.actions.handlers import FOLLOW_UP, record_receipts, request_actions
from huiqun.channel.actions.model import FollowedAction
from huiqun.channel.actions.store import find_action
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.channel import (
    Action,
    ActionKind,
    ActionRequested,
    ActionTarget,
    ActionWithdrawn,
    Capabilities,
    Group,
    GroupUpdated,
    Receipt,
    Support,
)
from huiqun.contracts.envelope import Event
from huiqun.runtime.ids import new_id
from huiqun.store import Outside
from huiqun.tasks.runner import TaskRunner
from huiqun.work import Transactor, Work
from tests.clocks import SetClock
from tests.due import NotingTransactor, next_due

T = TypeVar("T")
NOON: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # in Shanghai
NATIVE: Final = Capabilities(send=Support.NATIVE, mute=Support.NATIVE, remove=Support.NATIVE, delete=Support.NATIVE)
BY_HAND: Final = Capabilities()  # what a WeCom customer group can do


async def lead_of(_work: Work, _action: Action) -> str | None:
    """Who is above everybody here."""
    return "staff-lead"


@dataclass
class ActionsBench:
    """A group of its own; `emitted` is what was committed to be published."""

    transactor: Transactor
    directory: Directory
    group: str = field(default_factory=lambda: f"g-{new_id()}")
    emitted: list[Event] = field(default_factory=list)

    @property
    def clock(self) -> SetClock:
        assert isinstance(self.transactor.clock, SetClock)
        return self.transactor.clock

    @property
    def asked(self) -> list[Action]:
        """What the channel was asked for, repetitions included."""
        return [event.data for event in self.emitted if isinstance(event, ActionRequested)]

    @property
    def told(self) -> list[Action]:
        """What staff were told, each once."""
        return list({each.action_id: each for each in self.asked if each.kind is ActionKind.NOTIFY_STAFF}.values())

    @property
    def withdrawn(self) -> list[str]:
        """The ids of the actions that the channel was told to leave."""
        return [event.data.action_id for event in self.emitted if isinstance(event, ActionWithdrawn)]

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
        event = GroupUpdated.about(self.group, group, time=self.clock.now())
        await self.commit(lambda work: self.directory.record(work, [event]))

    async def ask(self, *actions: Action, context: ActionContext | None = None) -> None:
        """Ask for actions, in the same context."""
        contexts = {action.action_id: context for action in actions} if context else {}
        await self.commit(lambda work: request_actions(work, *actions, contexts=contexts))

    async def answer(self, action: Action, *kinds: Any, **fields: Any) -> None:
        """Deliver receipts of these kinds in one batch."""
        receipt = Receipt(action_id=action.action_id, group_id=self.group, **fields)
        receipts = [kind.about(self.group, receipt, time=self.clock.now()) for kind in kinds]
        await self.commit(lambda work: record_receipts(work, receipts))

    async def followed(self, action: Action) -> FollowedAction:
        """What has become of an action."""
        found = await find_action(Outside(self.transactor.database), action.action_id)
        assert found is not None
        return found

    async def state_of(self, action: Action) -> str:
        """The state of an action."""
        return (await self.followed(action)).state.value

    async def commit(self, use_case: Callable[[Work], Awaitable[T]]) -> T:
        """Run a use case in a transaction and note what it emitted."""

        async def noting(work: Work) -> tuple[T, list[Event]]:
            return await use_case(work), work.emitted

        (result, emitted), _ = await self.transactor.commit(noting)
        self.emitted += emitted
        return result

    async def pass_time(self, **span: float) -> None:
        """Let time go by; tasks run when they are due."""
        until = self.clock.moment + timedelta(**span)
        runner = TaskRunner(NotingTransactor(self.transactor, self.commit), {FOLLOW_UP: follow_up_kind(lead_of)})
        while (due := await next_due(self.transactor, until)) is not None:
            self.clock.moment = max(due, self.clock.moment)
            assert await runner.run_next()
        self.clock.moment = until
