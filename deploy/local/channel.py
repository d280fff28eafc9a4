"""A chat platform for demonstrations and tests: delivers messages, carries out actions as its groups allow."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionKind,
    ActionRequested,
    ActionUnsupported,
    ActionWithdrawn,
    Capabilities,
    CompletionStage,
    Departure,
    FailureCode,
    GroupCreated,
    GroupUpdated,
    LeaveReason,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    MessageEdited,
    MessageReceived,
    Receipt,
    Support,
)
from huiqun.contracts.channel.mentions import render_names
from huiqun.contracts.envelope import Event
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.topics import CHANNEL_ACTIONS
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import Record, event_record
from local.topics import open_reader, read_records

SOURCE: Final = "simulator"

# Which of a group's capabilities an action needs; to tell a staff member something is always possible.
_NEEDS: Final[Mapping[ActionKind, str]] = {
    ActionKind.SEND_MESSAGE: "send",
    ActionKind.SEND_PRIVATE: "send_private",
    ActionKind.DELETE_MESSAGE: "delete",
    ActionKind.MUTE_MEMBER: "mute",
    ActionKind.UNMUTE_MEMBER: "mute",
    ActionKind.REMOVE_MEMBER: "remove",
}
# There is nobody in the demonstrations to whom a group or a customer could be handed over.
_UNKNOWN: Final = frozenset({ActionKind.TRANSFER_GROUP, ActionKind.TRANSFER_CUSTOMER})

Member = tuple[str, str]


@dataclass(slots=True)
class Transcript:
    """What has happened on the platform. Members are (group id, member id); times are those of the chat.

    `told` are the words of actions as people read them, by action id.
    """

    asked: dict[str, Action] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    repeated: Counter[str] = field(default_factory=Counter)
    deleted: set[str] = field(default_factory=set)
    muted: dict[Member, datetime] = field(default_factory=dict)
    removed: set[Member] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    withheld: list[str] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)

    def is_muted(self, member: Member, at: datetime) -> bool:
        """Whether the channel itself keeps the member from writing at that time."""
        return member in self.muted and at < self.muted[member]

    def times_answered(self, kind: ActionKind, member: Member) -> int:
        """How many actions of this kind against the member have a receipt."""
        about = (self.asked[action_id] for action_id in self.outcomes)
        done = ((action.task or action.kind, (action.record_key, action.target.member_id)) for action in about)
        return sum(each == (kind, member) for each in done)


class Channel:
    """Consumes channel.actions.v1 and answers on channel.receipts.v1.

    `staff_seconds` is how long a person takes for a task; who is `away` does not get to it. A mass message waits until
    its sender confirms it. Groups that are `capped` take no more messages today.
    """

    def __init__(self, kafka: KafkaOptions, staff_seconds: float = 0.3) -> None:
        self.transcript = Transcript()
        self._kafka = kafka
        self._publisher = Publisher(kafka)
        self._staff_seconds = staff_seconds
        self.away: set[str] = set()
        self.capped: set[str] = set()
        self._confirmed: set[tuple[str, str]] = set()
        self._capabilities: dict[str, Capabilities] = {}
        self._owners: dict[str, str | None] = {}
        self._sources: dict[str, str] = {}
        self._names: dict[str, dict[str, str]] = {}
        self._now: dict[str, datetime] = {}
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Carry out actions until cancelled."""
        try:
            async with open_reader(self._kafka, CHANNEL_ACTIONS) as consumer, asyncio.TaskGroup() as acting:
                while True:
                    for record in await read_records(consumer):
                        event = decode_event(CHANNEL_ACTIONS, record.value)
                        if isinstance(event, ActionRequested):
                            self._take(event, acting)
                        elif isinstance(event, ActionWithdrawn):
                            self.transcript.withdrawn.add(event.data.action_id)
        finally:
            await self._publisher.stop()

    async def deliver(self, record: Record, event: Event | None, at: datetime) -> bool:
        """Send what happens in a group on to the services; False if its sender is muted and it goes nowhere."""
        if isinstance(event, GroupCreated | GroupUpdated):
            self._capabilities[event.data.group_id] = event.data.capabilities
            self._owners[event.data.group_id] = event.data.owner
            self._sources[event.data.group_id] = event.source
        if isinstance(event, MemberJoined | MemberUpdated):
            self._names.setdefault(event.data.group_id, {})[event.data.member_id] = event.data.display_name.reveal()
        if isinstance(event, MessageReceived | MessageEdited):
            self._now[event.subject] = at
            if self.transcript.is_muted((event.data.group_id, event.data.sender.member_id), at):
                self.transcript.withheld.append(event.data.message_id)
                return False
        await self._publisher.publish([record])
        return True

    async def wait_until_answered(self, kind: ActionKind, member: Member, times: int) -> None:
        """Wait until this many actions of the kind against the member have been done, handed on or refused."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.transcript.times_answered(kind, member) >= times)

    async def confirm_mass_message(self, batch_id: str, sender: str) -> None:
        """Have a staff member confirm their part of a mass message, also of what they are asked for later."""
        async with self._changed:
            self._confirmed.add((batch_id, sender))
            self._changed.notify_all()

    def _take(self, event: ActionRequested, acting: asyncio.TaskGroup) -> None:
        action = event.data
        if action.channel not in (DEFAULT_CHANNEL, self._source(action)):
            return  # another gateway's
        if action.action_id in self.transcript.asked and self.transcript.outcomes.get(action.action_id) != "failed":
            self.transcript.repeated[action.action_id] += 1
            return
        self.transcript.asked[action.action_id] = action
        acting.create_task(self._answer(event))

    def _source(self, action: Action) -> str:
        """The channel of the action's group, for which this one stands in."""
        return self._sources.get(action.record_key, SOURCE)

    def _support(self, action: Action) -> Support:
        needed = _NEEDS.get(action.kind)
        if action.task is not None:
            return Support.STAFF_TASK
        if needed is None:
            return Support.NONE if action.kind in _UNKNOWN else Support.NATIVE
        return self._capabilities.get(action.record_key, Capabilities()).support_of(needed)

    async def _answer(self, event: ActionRequested) -> None:
        """Say what became of the action: at once, or after the staff member who was asked has done it."""
        action = event.data
        if action.not_before is not None:
            await asyncio.sleep((action.not_before - datetime.now(UTC)).total_seconds())
        support = self._support(action)
        if action.deadline is not None and action.deadline < datetime.now(UTC):
            await self._receipt(event, ActionExpired, "已过期，未执行")
            return
        if support is Support.NONE:
            await self._receipt(event, ActionUnsupported, "该群聊渠道不支持此操作")
            return
        self.transcript.told[action.action_id] = render_names(action, self._names.get(action.record_key, {}))
        if support is Support.STAFF_TASK:
            await self._receipt(event, ActionAssigned, "已转交群主处理")
            if self._owners.get(action.record_key) in self.away:
                return
            await self._until_done_by_hand(action)
            if action.action_id in self.transcript.withdrawn:
                return
            if action.batch_id is not None:
                await self._receipt(event, ActionCompleted, "群主已确认", stage=CompletionStage.CONFIRMED)
        if action.kind is ActionKind.SEND_MESSAGE and action.group_id in self.capped:
            await self._receipt(event, ActionFailed, "该群今日已达接收上限", code=FailureCode.CAP)
            return
        await self._carry_out(event)
        await self._receipt(event, ActionCompleted, "群主已处理" if support is Support.STAFF_TASK else "已执行")

    async def _until_done_by_hand(self, action: Action) -> None:
        """Wait for the person: a moment, and of a mass message until they confirm it."""
        await asyncio.sleep(self._staff_seconds)
        if action.batch_id is not None:
            part = (action.batch_id, self._owners.get(action.record_key) or "")
            async with self._changed:
                await self._changed.wait_for(lambda: part in self._confirmed)

    async def _carry_out(self, event: ActionRequested) -> None:
        action = event.data
        member = (action.record_key, action.target.member_id or "")
        match action.task or action.kind:
            case ActionKind.DELETE_MESSAGE:
                self.transcript.deleted.add(action.target.message_id or "")
            case ActionKind.MUTE_MEMBER:
                now = self._now.get(action.record_key, datetime.now(UTC))
                self.transcript.muted[member] = now + timedelta(seconds=action.duration_seconds or 0)
            case ActionKind.UNMUTE_MEMBER:
                self.transcript.muted.pop(member, None)
            case ActionKind.REMOVE_MEMBER:
                self.transcript.removed.add(member)
                gone = Departure(group_id=member[0], member_id=member[1], reason=LeaveReason.REMOVED)
                left = MemberLeft.create(
                    member[0], gone, time=datetime.now(UTC), cause=event, source=self._source(action)
                )
                await self._publisher.publish([event_record(left)])
            case _:
                pass  # the words stand in `told`

    async def _receipt(
        self,
        event: ActionRequested,
        kind: type[ActionAssigned | ActionCompleted | ActionExpired | ActionFailed | ActionUnsupported],
        detail: str,
        *,
        stage: CompletionStage = CompletionStage.DELIVERED,
        code: FailureCode | None = None,
    ) -> None:
        action = event.data
        receipt = Receipt(
            action_id=action.action_id,
            group_id=action.group_id,
            assignee=self._owners.get(action.record_key) if kind is ActionAssigned else None,
            stage=stage if kind is ActionCompleted else None,
            code=code,
            detail=detail,
        )
        answer = kind.create(
            action.record_key, receipt, time=datetime.now(UTC), cause=event, source=self._source(action)
        )
        await self._publisher.publish([event_record(answer)])
        async with self._changed:
            self.transcript.outcomes[action.action_id] = answer.type.rpartition(".")[2]
            self._changed.notify_all()
