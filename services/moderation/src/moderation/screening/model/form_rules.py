"""Rules about how and when something is sent: length, kind, quiet hours."""

from collections.abc import Iterator
from datetime import datetime

from huiqun.contracts.channel import Message
from moderation.policies.sections.limit_rules import LengthRule
from moderation.policies.sections.rules import Rules
from moderation.screening.model.evidence import Evidence
from moderation.screening.model.finding import Finding, finding


def from_size(rules: Rules, evidence: Evidence) -> Iterator[Finding]:
    """What a message breaks of which not all could be judged."""
    if rules.oversize is not None and (evidence.left_out or evidence.address_is_cut):
        yield finding("oversize", "oversize", 3, rules.oversize.verdict)


def from_form(rules: Rules, message: Message, sent: datetime, evidence: Evidence) -> Iterator[Finding]:
    """What the form of a message breaks; `sent` is in the group's time zone."""
    length, kinds, quiet = rules.length, rules.kinds, rules.quiet_hours
    if length is not None and _is_too_long(message, length, evidence.left_out):
        yield finding("length", "length", 1, length.verdict)
    if kinds is not None and message.kind in kinds.forbidden:
        yield finding("kinds", "kind", 2, kinds.verdict)
    if quiet is not None and quiet.covers(sent.time()):
        yield finding("quiet_hours", "quiet_hours", 1, quiet.verdict)


def _is_too_long(message: Message, rule: LengthRule, left_out: int) -> bool:
    if rule.max_characters is not None and len(message.text) + left_out > rule.max_characters:
        return True
    return rule.max_seconds is not None and (message.duration_seconds or 0) > rule.max_seconds
