"""Rules that need to know what a member sent before: quota, flood, repetition, probation."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from huiqun.contracts.channel import Message, MessageKind, TextAvailability
from moderation.policies.sections.content_rules import ProbationRule
from moderation.policies.sections.rules import Rules
from moderation.screening.model.evidence import Evidence
from moderation.screening.model.finding import Finding, finding
from moderation.standing.model import Standing

_LEADING_OUTSIDE = frozenset({MessageKind.LINK, MessageKind.MINI_PROGRAM, MessageKind.CARD})
# 收到, 好的 and thanks are polite, but whoever has said nothing else has not yet shown what they are here for.
_SUBSTANTIAL_CHARACTERS = 6
_BEGINNING = 10
_KEPT_BACK = TextAvailability.NONE
_REPEATED_SECONDS = 600


def from_standing(rules: Rules, message: Message, sent: datetime, standing: Standing) -> list[Finding]:
    """Count the message and say what the member has broken by it; `sent` is in the group's time zone."""
    at = int(message.sent_at.timestamp() * 1000)
    written = text_hash(message.text)
    repeats = standing.repeats(written)
    today = standing.count(sent.toordinal())
    quota, flood, duplicate = rules.quota, rules.flood, rules.duplicate
    seconds = max(flood.seconds if flood else 0, duplicate.seconds if duplicate else 0, _REPEATED_SECONDS)
    standing.remember(at, written, at - seconds * 1000)
    found = []
    if quota is not None and today > quota.per_day:
        found.append(finding("quota", "quota", 1, quota.verdict))
    remembered = len(standing.recent)  # most members write too seldom for either rule to be worth a look
    if (
        flood is not None
        and remembered >= flood.messages
        and standing.messages_since(at - flood.seconds * 1000) >= flood.messages
    ):
        found.append(finding("flood", "flood", 2, flood.verdict))
    if (
        duplicate is not None
        and repeats + 1 >= duplicate.times
        and len(message.text) >= duplicate.min_characters
        and standing.repeats_since(at - duplicate.seconds * 1000, written) >= duplicate.times
    ):
        found.append(finding("duplicate", "duplicate", 2, duplicate.verdict))
    return found


def learn(message: Message, standing: Standing) -> None:
    """Count a message of substance: it says something new, and nothing follows from it; `from_standing` has seen it.

    Where the platform keeps what is written, nobody could ever say anything of substance: there each message is.
    """
    if message.text_availability is _KEPT_BACK:
        standing.substantial += 1
        return
    text, least = message.text, _SUBSTANTIAL_CHARACTERS
    if len(set(text[: least + 2])) < least and len(set(text)) < least:  # most show it at their beginning
        return
    _, written = standing.recent[-1]
    if len(standing.recent) == 1 or standing.repeats(written) == 1:
        standing.substantial += 1


def from_probation(rule: ProbationRule, message: Message, standing: Standing, evidence: Evidence) -> Iterator[Finding]:
    """What a newcomer may not do yet; judged before the message itself is counted."""
    leads_outside = evidence.links or evidence.contacts or message.kind in _LEADING_OUTSIDE
    if leads_outside and is_on_probation(rule, standing, message.sent_at):
        yield finding("probation", "probation", 2, rule.verdict, [*evidence.links, *evidence.contacts])


def is_on_probation(rule: ProbationRule, standing: Standing, at: datetime) -> bool:
    """Whether a member has been here too short or has said too little of substance."""
    if standing.substantial < rule.messages:
        return True
    return standing.since is None or at - standing.since < timedelta(hours=rule.hours)


def text_hash(text: str) -> int:
    """A number that equal texts share, signed and 64 bits wide, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big", signed=True)
