"""The words a day is written in: who is in a group, what they do and when, and what should come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from huiqun.contracts.channel import Group, MessageKind, Role
from huiqun.contracts.moderation import SanctionKind, Verdict


@dataclass(frozen=True, slots=True)
class Expected:
    """What moderation should make of a message: a rule and category among its reasons, and a rung of the ladder."""

    verdict: Verdict
    rule: str = ""
    category: str = ""
    sanction: SanctionKind | None = None


PASSES = Expected(Verdict.ALLOW)
WARNING, MUTE, REMOVAL = SanctionKind.WARNING, SanctionKind.MUTE, SanctionKind.REMOVAL_PROPOSED


def blocked(rule: str, category: str = "", sanction: SanctionKind | None = None) -> Expected:
    """To be taken out of the group."""
    return Expected(Verdict.BLOCK, rule, category or rule, sanction)


def warned(rule: str, sanction: SanctionKind | None = None) -> Expected:
    """To be answered with an offence on the member's account, and left standing."""
    return Expected(Verdict.WARN, rule, rule, sanction)


def reviewed(category: str) -> Expected:
    """To be looked at by a person."""
    return Expected(Verdict.REVIEW, "lexicon", category)


def on_staff(verdict: Verdict, category: str) -> Expected:
    """To be told to a member of the staff, or looked at by a person."""
    return Expected(verdict, "staff", category)


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a group from its start, or one who joins during the day."""

    name: str
    role: Role = Role.CUSTOMER
    external_ids: Mapping[str, str] = field(default_factory=dict)
    joins_later: bool = False


@dataclass(frozen=True, slots=True)
class Says:
    """Somebody writes. `note` makes it one of the moments that are shown at the end; `reply_to` names a label.

    `shows` are ids of the capabilities that it shows, `mentions` who is addressed with an @.
    `withheld`: the channel does not let it through, because the member is muted.
    """

    at: str
    by: str
    text: str
    expected: Expected = PASSES
    note: str = ""
    shows: tuple[str, ...] = ()
    label: str = ""
    withheld: bool = False
    kind: MessageKind = MessageKind.TEXT
    seconds: float | None = None
    url: str | None = None
    reply_to: str = ""
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edits:
    """The sender of the message labelled `of` changes it."""

    at: str
    of: str
    text: str
    expected: Expected = PASSES
    note: str = ""
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalls:
    """The sender of the message labelled `of` withdraws it."""

    at: str
    of: str


@dataclass(frozen=True, slots=True)
class Joins:
    """A person of the cast comes into the group."""

    at: str
    who: str
    scene: str = "qr"


@dataclass(frozen=True, slots=True)
class Leaves:
    """A member goes."""

    at: str
    who: str


@dataclass(frozen=True, slots=True)
class Renames:
    """The group gets a new name."""

    at: str
    name: str


@dataclass(frozen=True, slots=True)
class Redelivers:
    """The platform delivers the message labelled `of` a second time, as platforms do."""

    at: str
    of: str


@dataclass(frozen=True, slots=True)
class Garbles:
    """A record comes that is no event; `reason` is part of what the dead letter should say."""

    at: str
    value: bytes
    reason: str


Entry = Says | Edits | Recalls | Joins | Leaves | Renames | Redelivers | Garbles


@dataclass(frozen=True, slots=True)
class Chat:
    """A group and its day. `rules` are those of its policy, as an operator writes them."""

    group: Group
    policy_id: str
    rules: Mapping[str, Any]
    cast: Mapping[str, Person]
    day: tuple[Entry, ...]
