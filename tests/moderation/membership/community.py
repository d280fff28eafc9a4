"""Moderation as a test drives it: events in, time passes, actions out."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from huiqun.channel.directory.documents import member_from
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember, Told
from huiqun.channel.directory.store import DIRECTORY
from huiqun.contracts.channel import (
    Action,
    ActionCompleted,
    ActionKind,
    ActionRequested,
    Capabilities,
    Departure,
    Group,
    GroupCreated,
    GroupListed,
    GroupListing,
    LeaveReason,
    ListedMember,
    Member,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    Message,
    MessageReceived,
    Receipt,
    Role,
    Sender,
    Support,
)
from huiqun.contracts.channel.mentions import with_names
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened, Screened
from huiqun.runtime.ids import new_id
from huiqun.stream.batch import Received
from huiqun.stream.routes import RoutingTable
from huiqun.tasks.runner import TaskRunner
from huiqun.versions.model import ActivationCommand
from huiqun.work import Transactor, Work
from moderation import app
from moderation.membership.model.links import Links
from moderation.policies import handlers as policies
from moderation.policies.model import MembershipRules, Rules
from moderation.rulebook.handlers import RulebookKeeper
from tests.due import NotingTransactor, next_due
from tests.inlet import record_in

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # a Monday, in Shanghai
HASH_KEY = b"a key of these tests"
LINKS = Links.under("a secret of these tests", "https://chat.example.com")
T = TypeVar("T")


@dataclass
class SetClock:
    """Stands still until it is set."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment


def joined(
    member: str, group: str = "g1", at: datetime = NOON, name: str | None = None, role: Role = Role.CUSTOMER
) -> MemberJoined:
    shown = member if name is None else name
    data = Member(group_id=group, member_id=member, role=role, display_name=shown, invited_by="staff-1", scene="qr")
    return MemberJoined.about(group, data, time=at)


def left(member: str, group: str = "g1", at: datetime = NOON, reason: LeaveReason = LeaveReason.LEFT) -> MemberLeft:
    return MemberLeft.about(group, Departure(group_id=group, member_id=member, reason=reason), time=at)


def renamed(
    member: str, name: str, group: str = "g1", at: datetime = NOON, role: Role = Role.CUSTOMER
) -> MemberUpdated:
    data = Member(group_id=group, member_id=member, display_name=name, role=role)
    return MemberUpdated.about(group, data, time=at)


def listed(group: str, members: Sequence[str], as_of: datetime = NOON) -> GroupListed:
    entries = tuple(ListedMember(member_id=member) for member in members)
    return GroupListed.about(group, GroupListing(group_id=group, members=entries, as_of=as_of), time=as_of)


def created(group: str = "g1", name: str = "理财一群", timezone: str = "Asia/Shanghai") -> GroupCreated:
    able = Capabilities(send=Support.NATIVE, mute=Support.NATIVE, remove=Support.NATIVE, delete=Support.NATIVE)
    data = Group(group_id=group, name=name, owner="staff-1", timezone=timezone, capabilities=able)
    return GroupCreated.about(group, data, time=NOON)


@dataclass
class Community:
    """A service without a broker; `emitted` is everything that it would have published."""

    transactor: Transactor
    directory: Directory
    emitted: list[Event] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keeper = RulebookKeeper(self.transactor.database)
        self._routing = RoutingTable(app.routes(self.keeper.current, self.directory, HASH_KEY))
        self._kinds = app.task_kinds(LINKS, self.transactor.database, self.keeper.current, self.directory)

    @property
    def clock(self) -> SetClock:
        assert isinstance(self.transactor.clock, SetClock)
        return self.transactor.clock

    @property
    def actions(self) -> list[Action]:
        """What was asked of the channel."""
        return [event.data for event in self.emitted if isinstance(event, ActionRequested)]

    @property
    def screened(self) -> list[Screened]:
        """The judged messages."""
        return [event.data for event in self.emitted if isinstance(event, MessageScreened)]

    def said(self, kind: ActionKind = ActionKind.SEND_MESSAGE, reason: str | None = None) -> list[str]:
        """The words of the actions of a kind, as members read them: the channel has put in the names that it knows."""
        return [
            with_names(action, self.names)
            for action in self.actions
            if action.kind is kind and (reason is None or action.reason == reason)
        ]

    async def commit(self, use_case: Callable[[Work], Awaitable[T]]) -> T:
        """Run a use case in a transaction."""

        async def noting(work: Work) -> tuple[T, list[Event]]:
            return await use_case(work), work.emitted

        (result, emitted), _ = await self.transactor.commit(noting)
        self.emitted += emitted
        await self._carry_out([event.data for event in emitted if isinstance(event, ActionRequested)])
        return result

    async def deliver(self, *events: Event) -> None:
        """Hand events over in one batch, run by run as the consumer does."""
        described = [event.data for event in events if isinstance(event, MemberJoined | MemberUpdated)]
        self.names.update({member.member_id: member.display_name.reveal() for member in described})

        received = [Received(event, record_in(event), event.identity) for event in events]
        await self._routing.prepare(received, self.clock.now())

        async def dispatch(work: Work) -> None:
            assert not await self._routing.dispatch(work, received)

        await self.commit(dispatch)

    async def say(self, *texts: str, member: str = "u1", group: str = "g1", role: Role = Role.CUSTOMER) -> None:
        """A member writes, now; all in one batch."""
        now = self.clock.now()
        sender = Sender(member_id=member, role=role, display_name=member)
        messages = [
            Message(message_id=new_id(), group_id=group, sender=sender, text=text, sent_at=now) for text in texts
        ]
        await self.deliver(*(MessageReceived.about(group, message, time=now) for message in messages))

    async def pass_time(self, **span: float) -> None:
        """Let time go by; tasks run when they are due."""
        until = self.clock.moment + timedelta(**span)
        while (due := await next_due(self.transactor, until)) is not None:
            self.clock.moment = max(due, self.clock.moment)
            await self.run_task()
        self.clock.moment = until

    async def run_task(self) -> bool:
        """Run the task that has been due longest, as a replica of its own; False if there is none."""
        return await TaskRunner(NotingTransactor(self.transactor, self.commit), self._kinds).run_next()

    async def write_policy(self, policy_id: str = "default", **sections: Any) -> None:
        """Put a policy in force that says this about members, and have what follows from it done."""
        rules = Rules(membership=MembershipRules(**sections))

        async def use_case(work: Work) -> None:
            version = await policies.write_version(work, policy_id, rules, "test", "tester")
            wish = ActivationCommand(version.number, "another tester")
            await policies.activate_version(work, policy_id, wish, lambda _: None)

        await self.commit(use_case)
        await self.keeper.refresh()
        await self.pass_time(seconds=0)

    async def assign(self, group: str, policy_id: str | None) -> None:
        """Give a group another policy."""
        await self.commit(lambda work: policies.assign_policy(work, group, policy_id, lambda _: None, "tester"))
        await self.keeper.refresh()
        await self.pass_time(seconds=0)

    async def documents(self, collection: str) -> Sequence[dict[str, Any]]:
        """What a collection holds, by id."""
        return await self.transactor.database[collection].find().sort("_id", 1).to_list(None)

    async def entries(self) -> dict[str, DirectoryMember]:
        """Whom the directory knows, by key; names and ids are encrypted each time otherwise, and so left empty."""
        found = [member_from(each) async for each in self.transactor.database[DIRECTORY].find({"record": "member"})]
        for member in found:
            member.name = member.name and Told(b"", member.name.stamp)
        return {member.key: member for member in found}

    async def _carry_out(self, actions: Sequence[Action]) -> None:
        """Be the channel: do what was asked, so that nobody asks again."""
        receipts = [Receipt(action_id=action.action_id, group_id=action.group_id) for action in actions]
        if receipts:
            now = self.clock.now()
            await self.deliver(
                *(ActionCompleted.about(each.group_id or each.action_id, each, time=now) for each in receipts)
            )
