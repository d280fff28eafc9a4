"""Screening as a test drives it: messages in, verdicts, actions and documents out."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from huiqun.channel.actions.following import follow_up_kind
from huiqun.channel.actions.handlers import FOLLOW_UP
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.channel import (
    Action,
    ActionKind,
    ActionRequested,
    Capabilities,
    Group,
    Message,
    MessageEdited,
    MessageReceived,
    Role,
    Sender,
    Support,
)
from huiqun.contracts.channel.messages import EditedMessage
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MemberSanctioned, MessageScreened, Sanction, SanctionLifted, Screened
from huiqun.runtime.ids import new_id
from huiqun.store import Database
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskRunner
from huiqun.work import Transactor, Work
from huiqun.work.transactor import Delivery
from moderation.enforcement import handlers as enforcement
from moderation.lexicon.model.matching import Lexicon
from moderation.lexicon.model.words import Word
from moderation.policies.handlers import find_superior
from moderation.policies.model import GroupSettings, Policies, Policy, Rules
from moderation.rulebook.model import Rulebook
from moderation.screening.handlers import Screening
from tests.directories import save_groups
from tests.due import NotingTransactor, next_due
from tests.moderation.membership.community import NOON, SetClock

T = TypeVar("T")
WORDS = [Word("w1", "刷单", "fraud", 4), Word("w2", "内幕消息", "rumour", 3), Word("w3", "保本", "promise", 4)]
BITS = {"fraud": 1, "rumour": 2, "promise": 4}
NATIVE = Capabilities(send=Support.NATIVE, mute=Support.NATIVE, remove=Support.NATIVE, delete=Support.NATIVE)
KINDS = {
    enforcement.MUTE_ENDS: TaskKind(enforcement.end_mute),
    FOLLOW_UP: follow_up_kind(find_superior),
}


@dataclass
class Bench:
    """A group of its own under the built-in rules; `emitted` is what was committed to be published."""

    transactor: Transactor
    directory: Directory
    group: str = field(default_factory=lambda: f"g-{new_id()}")
    emitted: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock.moment = NOON
        self.govern(Rules())

    def govern(self, rules: Rules) -> None:
        """Put the group under these rules."""
        settings = GroupSettings(owner="staff-1", capabilities=NATIVE)
        policies = Policies({"default": Policy("default", 1, rules)}, {self.group: settings})
        self.rulebook = Rulebook(policies, Lexicon(WORDS, [BITS[word.category] for word in WORDS]), "v1", BITS)
        self.screening = Screening(lambda: self.rulebook, b"a key for tests")

    @property
    def clock(self) -> SetClock:
        assert isinstance(self.transactor.clock, SetClock)
        return self.transactor.clock

    @property
    def database(self) -> Database:
        return self.transactor.database

    @property
    def screened(self) -> list[Screened]:
        return [event.data for event in self.emitted if isinstance(event, MessageScreened)]

    @property
    def sanctions(self) -> list[Sanction]:
        return [event.data for event in self.emitted if isinstance(event, MemberSanctioned)]

    @property
    def lifted(self) -> list[SanctionLifted]:
        return [event for event in self.emitted if isinstance(event, SanctionLifted)]

    def actions(self, *kinds: ActionKind) -> list[Action]:
        """The actions of these kinds that the channel was asked for; all without any."""
        asked = [event.data for event in self.emitted if isinstance(event, ActionRequested)]
        return [action for action in asked if not kinds or action.kind in kinds]

    def message(self, text: str, member: str = "u1", role: Role = Role.CUSTOMER) -> MessageReceived:
        """A message of a member, sent now; not delivered yet."""
        sender = Sender(member_id=member, role=role, display_name=member)
        data = Message(message_id=new_id(), group_id=self.group, sender=sender, text=text, sent_at=self.clock.now())
        return MessageReceived.about(self.group, data, time=self.clock.now())

    def edit(self, original: MessageReceived, text: str, revision: int = 1) -> MessageEdited:
        """The message with another text."""
        data = EditedMessage(**original.data.model_dump(exclude={"text"}), text=text, revision=revision)
        return MessageEdited.about(self.group, data, time=self.clock.now())

    async def screen(self, *events: MessageReceived | MessageEdited) -> None:
        """Have a batch judged as the consumer does: with the inbox, in one transaction."""
        counted = [event.received_at(self.clock.now()) for event in events]
        await self.commit(
            lambda work: self.screening.screen(work, counted), Delivery([event.identity for event in events], ())
        )

    async def say(self, *texts: str, member: str = "u1", role: Role = Role.CUSTOMER) -> list[MessageReceived]:
        """A member writes, and it is judged, in one batch."""
        events = [self.message(text, member, role) for text in texts]
        await self.screen(*events)
        return events

    async def commit(self, use_case: Callable[[Work], Awaitable[T]], delivery: Delivery | None = None) -> T:
        """Run a use case in a transaction and note what it emitted."""

        async def noting(work: Work) -> tuple[T, list[Event]]:
            return await use_case(work), work.emitted

        (result, emitted), _ = await self.transactor.commit(noting, delivery)
        self.emitted += emitted
        return result

    async def pass_time(self, **span: float) -> None:
        """Let time go by; the group's tasks run when they are due."""
        until = self.clock.moment + timedelta(**span)
        runner = TaskRunner(NotingTransactor(self.transactor, self.commit), KINDS)
        while (due := await next_due(self.transactor, until)) is not None:
            self.clock.moment = max(due, self.clock.moment)
            assert await runner.run_next()
        self.clock.moment = until

    async def documents(self, collection: str, **query: Any) -> Sequence[dict[str, Any]]:
        """The group's documents in a collection, by id."""
        found = self.database[collection].find({"group_id": self.group, **query}).sort("_id", 1)
        return await found.to_list(None)

    async def know_group(self, **fields: Any) -> None:
        """Have the channel tell of the group."""
        group = Group(group_id=self.group, owner="staff-1", capabilities=NATIVE).model_copy(update=fields)
        await self.commit(lambda work: save_groups(work, self.directory, [group]))
