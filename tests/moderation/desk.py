"""A group and the people who look after it: messages in, cases out, on a real store and without a broker."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from huiqun.audit import AUDIT_INDEXES
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.catalog import decode
from huiqun.contracts.channel import (
    ActionAssigned,
    ActionCompleted,
    Capabilities,
    EditedMessage,
    Group,
    GroupCreated,
    Message,
    MessageEdited,
    MessageReceived,
    Quotation,
    Receipt,
    Role,
    Sender,
    Support,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import CaseOutcome
from huiqun.contracts.topics import TOPICS
from huiqun.runtime.clock import whole_milliseconds
from huiqun.stream import Route
from huiqun.tasks.runner import TaskRunner
from huiqun.versions.model import ActivationCommand
from huiqun.web import WEB_INDEXES
from huiqun.work import Work, outbox
from moderation.app import INDEXES, routes, task_kinds
from moderation.cases.handlers.deciding import decide
from moderation.cases.handlers.following import Ruling
from moderation.cases.handlers.queue import claim, release
from moderation.cases.model import AppealLinks, Case, Moderator
from moderation.cases.store import cases
from moderation.lexicon.model.matching import Lexicon
from moderation.lexicon.model.words import Word
from moderation.membership.model.links import Links
from moderation.policies.handlers import activate_version, write_version
from moderation.policies.model import DEFAULT_POLICY, GroupSettings, Policies, Policy, Rules
from moderation.rulebook.model import Rulebook
from moderation.standing import store as standings
from moderation.standing.model import Standing
from tests.due import run_all_due
from tests.inlet import Inlet, open_inlet

T = TypeVar("T")
OWNER = "staff-owner"
ANNA, BO = Moderator(id="key:anna", name="Anna"), Moderator(id="key:bo", name="Bo")
LINKS = AppealLinks(b"a key for tests", "https://groups.example.com")
SHORT = timedelta(minutes=5)  # longer than the grace between two sanctions
_WORDS = (
    Word(id="w1", text="兼职刷单", category="fraud", severity=5),
    Word(id="w2", text="某市即将封城", category="rumour", severity=3),
)
_BITS = {"fraud": 1, "rumour": 2}
_TOPICS = {topic.name: topic for topic in TOPICS}
BAD, DOUBTFUL, FINE = "在家兼职刷单日赚三百", "听说某市即将封城了", "请问网点几点开门"


@dataclass
class SetClock:
    """Stands still until it is set."""

    moment: datetime = field(default_factory=lambda: whole_milliseconds(datetime.now(UTC)))

    def now(self) -> datetime:
        return self.moment


@dataclass
class Desk:
    """What a test says and asks."""

    inlet: Inlet
    clock: SetClock
    rulebook: Rulebook
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def tidy(self) -> None:
        """A group as on its first day: an owner, a channel that can do everything, the policy that comes with Huiqun.

        Emptying a database takes a tenth of the time that making one takes.
        """
        await self.inlet.clear()
        self.clock.moment = SetClock().moment
        self.rulebook = _rulebook()
        await self.inlet.deliver([GroupCreated.about("g1", _GROUP, time=self.clock.moment)])

    async def say(
        self,
        text: str,
        by: str = "u1",
        *,
        reply_to: str | None = None,
        role: Role = Role.CUSTOMER,
        quoted: Quotation | None = None,
    ) -> str:
        """Somebody writes in the group; returns the message's id."""
        event = self.message(text, by, reply_to=reply_to, role=role, quoted=quoted)
        await self.inlet.deliver([event])
        return event.data.message_id

    def message(
        self,
        text: str,
        by: str = "u1",
        *,
        reply_to: str | None = None,
        role: Role = Role.CUSTOMER,
        quoted: Quotation | None = None,
    ) -> MessageReceived:
        """A message that nobody has delivered yet."""
        data = Message(
            message_id=f"m{next(self.numbers)}",
            group_id="g1",
            sender=Sender(member_id=by, role=role),
            text=text,
            reply_to=reply_to,
            quoted=quoted,
            sent_at=self.clock.moment,
        )
        return MessageReceived.about("g1", data, time=self.clock.moment)

    async def edit(self, message_id: str, text: str, revision: int, by: str = "u1") -> None:
        """Somebody changes a message."""
        sender = Sender(member_id=by)
        now = self.clock.moment
        data = EditedMessage(
            message_id=message_id, group_id="g1", sender=sender, text=text, sent_at=now, revision=revision
        )
        await self.inlet.deliver([MessageEdited.about("g1", data, time=now)])

    async def offend(self, times: int, by: str = "u1") -> str:
        """So many offences, each after the grace; returns the last one's message id."""
        last = ""
        for _ in range(times):
            last = await self.say(BAD, by)
            self.clock.moment += SHORT
        return last

    async def pass_time(self, span: timedelta) -> None:
        """Time goes by, and what is due is done."""
        self.clock.moment += span
        links = Links.under("a key for tests", None)
        kinds = task_kinds(links, self.inlet.database, lambda: self.rulebook, self.inlet.directory)
        runner = TaskRunner(self.inlet.transactor, kinds)
        await run_all_due(runner)

    async def work(self, use_case: Callable[[Work], Awaitable[T]]) -> T:
        """A use case in a transaction."""
        result, _ = await self.inlet.transactor.commit(use_case)
        return result

    async def claim(self, case_id: str, who: Moderator) -> Case:
        """A person takes a case in hand."""
        return await self.work(lambda work: claim(work, case_id, who))

    async def release(self, case_id: str, who: Moderator) -> Case:
        """A person gives a case back."""
        return await self.work(lambda work: release(work, case_id, who))

    async def decide(
        self, case_id: str, outcome: CaseOutcome, by: Moderator = ANNA, category: str | None = None
    ) -> Case:
        """A person decides."""
        ruling = Ruling(outcome, by, "looked at it", category)
        return await self.work(lambda work: decide(work, case_id, ruling, _any_version, LINKS.maker))

    async def set_rules(self, rules: Rules) -> None:
        """A policy comes into force."""

        async def use_case(work: Work) -> int:
            version = (await write_version(work, DEFAULT_POLICY, rules, "for a test", "tester")).number
            await activate_version(work, DEFAULT_POLICY, ActivationCommand(version, "approver"), _any_version)
            return version

        active = {DEFAULT_POLICY: Policy(DEFAULT_POLICY, await self.work(use_case), rules)}
        policies = Policies(active, self.rulebook.policies.groups)
        self.rulebook = Rulebook(policies, self.rulebook.lexicon, "test", _BITS)

    async def done(self, action: dict[str, Any], *, by: str | None = None) -> None:
        """The channel has carried out an action, or asked somebody to."""
        receipt = Receipt(action_id=action["_id"], group_id="g1", assignee=by)
        event = (ActionAssigned if by else ActionCompleted).about("g1", receipt, time=self.clock.moment)
        await self.inlet.deliver([event])

    async def cases(self, **query: Any) -> list[Case]:
        """The cases, oldest first."""
        cursor = self.inlet.database[cases.CASES].find(query).sort([("opened_at", 1), ("_id", 1)])
        return [cases._case(document) async for document in cursor]

    async def actions(self, **query: Any) -> list[dict[str, Any]]:
        """The actions asked of the channel, in order."""
        return await self.inlet.database["actions"].find(query).sort("_id", 1).to_list(None)

    async def events(self, *types: type[Event]) -> list[Any]:
        """What has been published, of these types: nothing takes it away here."""
        entries = await outbox.older_than(self.inlet.database, datetime(2100, 1, 1, tzinfo=UTC), 10_000)
        decoded = [decode(_TOPICS[record.topic], record.value) for entry in entries for record in entry.records]
        return [event.data for event in decoded if isinstance(event, types)]

    async def standing(self, by: str = "u1") -> Standing:
        """Where a member stands."""
        found = await standings.find(self.inlet.reader, "g1", by)
        assert found is not None
        return found


def _any_version(_: int) -> None:
    """The caller has seen whatever version there is."""


_NATIVE = Capabilities(send=Support.NATIVE, mute=Support.NATIVE, delete=Support.NATIVE, remove=Support.NATIVE)
_GROUP = Group(group_id="g1", owner=OWNER, capabilities=_NATIVE)
_LEXICON = Lexicon(_WORDS, [_BITS[word.category] for word in _WORDS])


def _rulebook() -> Rulebook:
    """The policy that comes with Huiqun."""
    groups = {"g1": GroupSettings(owner=OWNER, capabilities=_NATIVE)}
    return Rulebook(Policies({}, groups), _LEXICON, "test", _BITS)


@asynccontextmanager
async def open_desk(mongo_url: str, database_name: str) -> AsyncIterator[Desk]:
    """A group with an owner, a small lexicon and the policy that comes with Huiqun."""
    clock = SetClock()
    desk: Desk
    indexes = {**INDEXES, **AUDIT_INDEXES, **WEB_INDEXES}

    def wired(directory: Directory) -> tuple[Route, ...]:
        return routes(lambda: desk.rulebook, directory, b"a key for tests", LINKS.for_offence)

    async with open_inlet(mongo_url, database_name, wired, indexes, clock) as inlet:
        desk = Desk(inlet, clock, _rulebook())
        yield desk
