"""Moderation as a test drives it: what members write, what people decide, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pydantic import SecretStr

from huiqun.contracts.channel import (
    ActionAssigned,
    ActionCompleted,
    ActionKind,
    EditedMessage,
    MemberJoined,
    MemberUpdated,
    Message,
    MessageEdited,
    MessageReceived,
    Receipt,
    Role,
    Sender,
)
from huiqun.contracts.channel.mentions import render_names
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import (
    CaseOutcome,
    MemberSanctioned,
    MessageScreened,
    Sanction,
    SanctionLifted,
    Screened,
)
from huiqun.privacy.links import SignedLinks
from huiqun.runtime.clock import SystemClock
from huiqun.testing.events import NATIVE, group_created
from huiqun.testing.rig import Rig
from huiqun.versions.model import ActivateVersionCommand
from huiqun.work import Work
from moderation import app
from moderation.appeals.model import APPEAL_LINK_PURPOSE, AppealGrant, appeal_link_maker
from moderation.cases.model import Case, Moderator
from moderation.cases.store import CASES, case_from_document
from moderation.casework.handlers import claim_case, release_case
from moderation.decisions.handlers import decide_case
from moderation.decisions.model import DecideCaseCommand
from moderation.group_policies.handlers import assign_policy
from moderation.groups.model import GroupSettings
from moderation.interface import interface
from moderation.lexicon.matching.matcher import Lexicon
from moderation.lexicon.matching.words import Word
from moderation.policies.handlers import activate_policy_version, write_policy_version
from moderation.policies.model import DEFAULT_POLICY, Policy
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.rules import Rules
from moderation.rulebook.handlers import RulebookKeeper
from moderation.rulebook.model import PolicySnapshot, Rulebook
from moderation.settings import Settings
from moderation.standings.model import Standing
from moderation.standings.store import find_standing

SETTINGS = Settings(
    hash_key=SecretStr("a key of these tests"),
    link_key=SecretStr("another key of these tests"),
    encryption_key=SecretStr("a third key of these tests"),
    public_url="https://groups.example.com",
)
LINKS = SignedLinks(SETTINGS.rotating_link_key, SETTINGS.public_url)
HASH_KEY = SETTINGS.rotating_hash_key.current
APPEAL_LINK = appeal_link_maker(LINKS)
OWNER = "staff-1"
MONDAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # at noon, in Shanghai
ANNA, BO = Moderator(id="key:anna", name="Anna"), Moderator(id="key:bo", name="Bo")
BAD, DOUBTFUL, FINE = "在家兼职刷单日赚三百", "听说某市即将封城了", "请问网点几点开门"
SHORT = timedelta(minutes=5)  # longer than the grace between two sanctions
WORDS = (
    Word("w1", "刷单", "fraud", 5),
    Word("w2", "内幕消息", "rumour", 3),
    Word("w3", "保本", "promise", 4),
    Word("w4", "某市即将封城", "rumour", 3),
)
BITS = {"fraud": 1, "rumour": 2, "promise": 4}


@dataclass
class ModerationRig(Rig):
    """The whole service. The rules are those of the store as of the last refresh of `keeper`, or `rulebook` if set."""

    group: str = "g1"
    rulebook: Rulebook | None = None
    names: dict[str, str] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.compose(SETTINGS)

    def compose(self, settings: Settings) -> None:
        """Wire the service as `moderation.app` does."""
        self.keeper = RulebookKeeper(self.database)
        links = SignedLinks(settings.rotating_link_key, settings.public_url)
        offered = interface(settings, self.current, links, self.directory)
        self.wire(
            routes=app.routes(
                self.current, self.directory, settings.rotating_hash_key.current, appeal_link_maker(links)
            ),
            task_kinds=app.task_kinds(links, self.database, self.current, self.directory),
            routers=offered.routers,
            provided=offered.provided,
        )

    async def start_over(self, moment: datetime | None = None) -> None:
        """Moderation as on its first day, at that moment or at the present."""
        await self.clear()
        self.compose(SETTINGS)
        self.rulebook = None
        self.follows_actions = False
        self.names.clear()
        self.clock.moment = moment or SystemClock().now()

    async def found_group(self) -> None:
        """Start over with a group under the policy that comes with Huiqun, and a channel that can do everything."""
        await self.start_over()
        self.govern(None)
        await self.know_group()

    def current(self) -> Rulebook:
        """The rules in force."""
        return self.rulebook or self.keeper.current()

    def govern(self, rules: Rules | None, words: Sequence[Word] = WORDS) -> None:
        """Put the group under these rules, or those that come with Huiqun, and words, whatever the store says."""
        known = {self.group: GroupSettings(owner=OWNER, capabilities=NATIVE)}
        active = {DEFAULT_POLICY: Policy(DEFAULT_POLICY, 1, rules)} if rules else {}
        lexicon = Lexicon(words, [BITS[word.category] for word in words])
        self.rulebook = Rulebook(PolicySnapshot(active, known), lexicon, "v1", BITS)

    async def set_rules(self, rules: Rules) -> None:
        """A policy comes into force for the group that `govern` has put under rules."""

        async def use_case(work: Work) -> int:
            version = (await write_policy_version(work, DEFAULT_POLICY, rules, "for a test", "tester")).number
            wish = ActivateVersionCommand(version, "approver")
            await activate_policy_version(work, DEFAULT_POLICY, wish, any_version)
            return version

        assert self.rulebook is not None
        active = {DEFAULT_POLICY: Policy(DEFAULT_POLICY, await self.run(use_case), rules)}
        self.rulebook = replace(self.rulebook, policies=PolicySnapshot(active, self.rulebook.policies.groups))

    async def write_policy(self, policy_id: str = "default", **sections: Any) -> None:
        """Put a policy in force that says this about members, and have what follows from it done."""
        rules = Rules(membership=MembershipRules(**sections))

        async def use_case(work: Work) -> None:
            version = await write_policy_version(work, policy_id, rules, "test", "tester")
            wish = ActivateVersionCommand(version.number, "another tester")
            await activate_policy_version(work, policy_id, wish, any_version)

        await self.run(use_case)
        await self.keeper.refresh()
        await self.run_due()

    async def assign(self, group: str, policy_id: str | None) -> None:
        """Give a group another policy."""
        await self.run(lambda work: assign_policy(work, group, policy_id, any_version, "tester"))
        await self.keeper.refresh()
        await self.run_due()

    async def know_group(self, **fields: Any) -> None:
        """Have the channel tell of the group."""
        known: dict[str, Any] = {"owner": OWNER, "capabilities": NATIVE, **fields}
        await self.deliver(group_created(self.group, self.clock.moment, **known))

    def message(
        self, text: str, member: str = "u1", *, group: str | None = None, role: Role = Role.CUSTOMER, **fields: Any
    ) -> MessageReceived:
        """A message that somebody writes now; not delivered yet."""
        data = Message(
            message_id=f"m{next(self.numbers)}",
            group_id=group or self.group,
            sender=Sender(member_id=member, role=role, display_name=member),
            text=text,
            sent_at=self.clock.moment,
            **fields,
        )
        return MessageReceived.create(data.group_id, data, time=self.clock.moment)

    async def say(self, text: str, member: str = "u1", **fields: Any) -> str:
        """Somebody writes in the group; returns the message's id."""
        event = self.message(text, member, **fields)
        await self.deliver(event)
        return event.data.message_id

    async def say_all(self, *texts: str, member: str = "u1", **fields: Any) -> list[MessageReceived]:
        """Somebody writes several messages, which come in one batch."""
        events = [self.message(text, member, **fields) for text in texts]
        await self.deliver(*events)
        return events

    async def offend(self, times: int, member: str = "u1") -> str:
        """So many offences, each after the grace; returns the last one's message id."""
        last = ""
        for _ in range(times):
            last = await self.say(BAD, member)
            self.clock.moment += SHORT
        return last

    async def edit(self, message_id: str, text: str, revision: int, member: str = "u1") -> None:
        """Somebody changes a message."""
        now = self.clock.moment
        data = EditedMessage(
            message_id=message_id,
            group_id=self.group,
            sender=Sender(member_id=member),
            text=text,
            sent_at=now,
            revision=revision,
        )
        await self.deliver(MessageEdited.create(self.group, data, time=now))

    async def claim(self, case_id: str, who: Moderator) -> Case:
        """A person takes a case in hand."""
        return await self.run(lambda work: claim_case(work, case_id, who))

    async def release(self, case_id: str, who: Moderator) -> Case:
        """A person gives a case back."""
        return await self.run(lambda work: release_case(work, case_id, who))

    async def decide(
        self, case_id: str, outcome: CaseOutcome, by: Moderator = ANNA, category: str | None = None
    ) -> Case:
        """A person decides."""
        command = DecideCaseCommand(outcome, by, "looked at it", category)
        return await self.run(lambda work: decide_case(work, case_id, command, any_version, APPEAL_LINK))

    def grant_in(self, letter: Mapping[str, Any]) -> AppealGrant:
        """What the link in a letter lets its reader do."""
        token = letter["content"].split("/api/v1/appeals/")[1].split()[0]
        return AppealGrant.from_link(LINKS.verify_token(APPEAL_LINK_PURPOSE, token, self.clock.moment))

    async def done(self, action: Mapping[str, Any], *, by: str | None = None) -> None:
        """The channel has carried out an action, a document, or asked somebody to."""
        receipt = Receipt(action_id=action["_id"], group_id=self.group, assignee=by)
        kind = ActionAssigned if by else ActionCompleted
        await self.deliver(kind.create(self.group, receipt, time=self.clock.moment))

    async def cases(self, **query: Any) -> list[Case]:
        """The cases, oldest first."""
        cursor = self.database[CASES].find(query).sort([("opened_at", 1), ("_id", 1)])
        return [case_from_document(document) async for document in cursor]

    async def standing(self, member: str = "u1") -> Standing:
        """Where a member stands."""
        found = await find_standing(self.reader, self.group, member)
        assert found is not None
        return found

    async def deliver_refused(self, *events: Event) -> list[str]:
        """Deliver one batch; the channel knows the names of those it tells of."""
        described = [event.data for event in events if isinstance(event, MemberJoined | MemberUpdated)]
        self.names.update({member.member_id: member.display_name.reveal() for member in described})
        return await super().deliver_refused(*events)

    def said(self, kind: ActionKind = ActionKind.SEND_MESSAGE, reason: str | None = None) -> list[str]:
        """The words of the actions of a kind, as members read them: the channel has put in the names that it knows."""
        return [
            render_names(action, self.names)
            for action in self.actions(kind)
            if reason is None or action.reason == reason
        ]

    def data_of(self, *kinds: type[Event]) -> list[Any]:
        """What the service has told by events of these types, in their order."""
        return [event.data for event in self.emitted(Event) if isinstance(event, kinds)]

    @property
    def screened(self) -> list[Screened]:
        """How messages were judged."""
        return self.data_of(MessageScreened)

    @property
    def sanctions(self) -> list[Sanction]:
        """The sanctions on members."""
        return self.data_of(MemberSanctioned)

    @property
    def lifted(self) -> list[SanctionLifted]:
        """The ends of sanctions."""
        return self.emitted(SanctionLifted)


def any_version(_: int) -> None:
    """Whatever version the caller has seen."""
