"""Rules about how, when and how often members write: length, kind, hours, mode, quota, flood, repetition, probation."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from huiqun.contracts.channel import Message, MessageKind, TextAvailability
from huiqun.contracts.moderation import GroupMode, Verdict
from moderation.evidence.model import Evidence
from moderation.groups.model import ModeSpan
from moderation.policies.sections.content_rules import ProbationRule
from moderation.policies.sections.limit_rules import LengthRule
from moderation.policies.sections.rules import Rules
from moderation.rules.model import Finding, make_finding
from moderation.standings.model import Standing


def check_oversize(rules: Rules, evidence: Evidence) -> Iterator[Finding]:
    """What a message breaks of which not all could be judged."""
    if rules.oversize is not None and (evidence.left_out or evidence.address_is_cut):
        yield make_finding("oversize", "oversize", 3, rules.oversize.verdict)


def check_form(rules: Rules, message: Message, sent: datetime, evidence: Evidence) -> Iterator[Finding]:
    """What the form of a message breaks; `sent` is in the group's time zone."""
    length, kinds, quiet = rules.length, rules.kinds, rules.quiet_hours
    if length is not None and _is_too_long(message, length, evidence.left_out):
        yield make_finding("length", "length", 1, length.verdict)
    if kinds is not None and message.kind in kinds.forbidden:
        yield make_finding("kinds", "kind", 2, kinds.verdict)
    if quiet is not None and quiet.covers(sent.time()):
        yield make_finding("quiet_hours", "quiet_hours", 1, quiet.verdict)


def _is_too_long(message: Message, rule: LengthRule, left_out: int) -> bool:
    if rule.max_characters is not None and len(message.text) + left_out > rule.max_characters:
        return True
    return rule.max_seconds is not None and (message.duration_seconds or 0) > rule.max_seconds


MODE_RULE = "mode"
_SHORT = 60


def check_mode(mode: ModeSpan, message: Message) -> Iterator[Finding]:
    """What a customer's message breaks by being sent now; it is no offence, and severer findings come before it."""
    if not mode.covers(message):
        return
    if mode.mode is GroupMode.LOCKDOWN:
        yield make_finding(MODE_RULE, mode.mode.value, 1, Verdict.BLOCK)
    elif mode.mode is GroupMode.QUIET and not _asks_staff(mode, message):
        yield make_finding(MODE_RULE, mode.mode.value, 1, Verdict.WARN)


def _asks_staff(mode: ModeSpan, message: Message) -> bool:
    """Whether it is short and mentions staff; where nobody has named the staff, whoever is mentioned counts."""
    if len(message.text) > _SHORT or not message.mentions:
        return False
    return not mode.staff or not mode.staff.isdisjoint(message.mentions)


_LEADING_OUTSIDE = frozenset({MessageKind.LINK, MessageKind.MINI_PROGRAM, MessageKind.CARD})
# 收到, 好的 and thanks are polite, but whoever has said nothing else has not yet shown what they are here for.
_SUBSTANTIAL_CHARACTERS = 6
_BEGINNING = 10
_KEPT_BACK = TextAvailability.NONE
_REPEATED_SECONDS = 600


def count_message(rules: Rules, message: Message, sent: datetime, standing: Standing) -> list[Finding]:
    """Count the message and say what the member has broken by it; `sent` is in the group's time zone."""
    at = int(message.sent_at.timestamp() * 1000)
    written = hash_text(message.text)
    repeats = standing.count_repeats(written)
    today = standing.count_message(sent.toordinal())
    quota, flood, duplicate = rules.quota, rules.flood, rules.duplicate
    seconds = max(flood.seconds if flood else 0, duplicate.seconds if duplicate else 0, _REPEATED_SECONDS)
    standing.remember_message(at, written, at - seconds * 1000)
    found = []
    if quota is not None and today > quota.per_day:
        found.append(make_finding("quota", "quota", 1, quota.verdict))
    remembered = len(standing.recent)  # most members write too seldom for either rule to be worth a look
    if (
        flood is not None
        and remembered >= flood.messages
        and standing.count_messages_since(at - flood.seconds * 1000) >= flood.messages
    ):
        found.append(make_finding("flood", "flood", 2, flood.verdict))
    if (
        duplicate is not None
        and repeats + 1 >= duplicate.times
        and len(message.text) >= duplicate.min_characters
        and standing.count_repeats_since(at - duplicate.seconds * 1000, written) >= duplicate.times
    ):
        found.append(make_finding("duplicate", "duplicate", 2, duplicate.verdict))
    return found


def count_substantial(message: Message, standing: Standing) -> None:
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
    if len(standing.recent) == 1 or standing.count_repeats(written) == 1:
        standing.substantial += 1


def check_probation(rule: ProbationRule, message: Message, standing: Standing, evidence: Evidence) -> Iterator[Finding]:
    """What a newcomer may not do yet; judged before the message itself is counted."""
    leads_outside = evidence.links or evidence.contacts or message.kind in _LEADING_OUTSIDE
    if leads_outside and is_on_probation(rule, standing, message.sent_at):
        yield make_finding("probation", "probation", 2, rule.verdict, [*evidence.links, *evidence.contacts])


def is_on_probation(rule: ProbationRule, standing: Standing, at: datetime) -> bool:
    """Whether a member has been here too short or has said too little of substance."""
    if standing.substantial < rule.messages:
        return True
    return standing.since is None or at - standing.since < timedelta(hours=rule.hours)


def hash_text(text: str) -> int:
    """A number that equal texts share, signed and 64 bits wide, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big", signed=True)
