"""The verdict on a message: every rule of its policy speaks, and the severest outcome wins."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from huiqun.contracts.channel import EditedMessage, Message, Role
from huiqun.contracts.moderation import Reason, Screened, Verdict
from moderation.policies.model import GroupSettings, LengthRule, Outcome, Policy
from moderation.screening.model.contacts import Span, outside
from moderation.screening.model.evidence import NOTHING, Evidence
from moderation.standing.model import Standing

_ORDER = {Verdict.ALLOW: 0, Verdict.WARN: 1, Verdict.REVIEW: 2, Verdict.BLOCK: 3}
_PERSONAL_SEVERITY = {"id_card": 5, "bank_card": 5, "mobile": 3, "email": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken and what its policy wants done."""

    reason: Reason
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Decision:
    """A judged message."""

    message: Message
    policy: Policy
    verdict: Verdict
    findings: tuple[Finding, ...]
    masked_text: str

    @property
    def revision(self) -> int:
        """0 as first sent, rising with each edit."""
        return self.message.revision if isinstance(self.message, EditedMessage) else 0

    @property
    def leading(self) -> Finding | None:
        """The finding that the verdict rests on; the severest reason where several ask for the same."""
        worst = [finding for finding in self.findings if finding.outcome == self.verdict]
        return max(worst, key=lambda finding: finding.reason.severity, default=None)

    def screened(self, lexicon_version: str) -> Screened:
        """What the other services get to know."""
        message = self.message
        return Screened(
            message_id=message.message_id,
            group_id=message.group_id,
            member_id=message.sender.member_id,
            role=message.sender.role,
            kind=message.kind,
            revision=self.revision,
            verdict=self.verdict,
            reasons=tuple(finding.reason for finding in self.findings),
            policy_version=self.policy.label,
            lexicon_version=lexicon_version,
            masked_text=self.masked_text,
            sent_at=message.sent_at,
        )


def judge(
    message: Message, policy: Policy, settings: GroupSettings, standing: Standing | None, evidence: Evidence
) -> Decision:
    """Judge a message under its group's policy, and count it in the sender's standing.

    Staff and bots have no standing: what they write is recorded and masked, not judged by the members' rules.
    An edited message is judged again and counted no second time.
    """
    findings: tuple[Finding, ...] = ()
    verdict = Verdict.ALLOW
    if standing is not None and message.sender.role is Role.CUSTOMER:
        sent = message.sent_at.astimezone(settings.timezone)
        found = [*_from_form(message, policy, sent)]
        if evidence is not NOTHING:
            found += _from_text(policy, evidence)
        if not isinstance(message, EditedMessage):
            found += _from_standing(message, policy, sent, standing)
        if found:
            findings = tuple(found)
            verdict = max((finding.outcome for finding in findings), key=_ORDER.__getitem__)
    return Decision(message, policy, verdict, findings, evidence.masked(message.text))


def text_hash(text: str) -> int:
    """A number that equal texts share, signed and 64 bits wide, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big", signed=True)


def _from_text(policy: Policy, evidence: Evidence) -> Iterator[Finding]:
    rules = policy.rules
    for hit in evidence.hits:
        outcome = rules.lexicon.categories.get(hit.category)
        if outcome is not None:
            spans = ((hit.start, hit.end),)
            reason = Reason(
                rule="lexicon", category=hit.category, severity=hit.severity, confidence=hit.confidence, spans=spans
            )
            yield Finding(reason, outcome)
    if rules.personal_data is not None and evidence.personal:
        for find in evidence.personal:
            severity = _PERSONAL_SEVERITY[find.kind]
            spans = ((find.start, find.end),)
            reason = Reason(
                rule="personal_data", category=find.kind, severity=severity, confidence=find.confidence, spans=spans
            )
            yield Finding(reason, rules.personal_data.verdict)
    if rules.links is not None and evidence.links:
        strange = outside(evidence.links, rules.links.allowed_domains)
        if strange:
            yield _finding("links", "links", 3, rules.links.verdict, strange)
    if rules.contacts is not None and evidence.contacts:
        yield _finding("contacts", "solicitation", 3, rules.contacts.verdict, list(evidence.contacts))


def _from_form(message: Message, policy: Policy, sent: datetime) -> Iterator[Finding]:
    length, quiet = policy.rules.length, policy.rules.quiet_hours
    if length is not None and _is_too_long(message, length):
        yield _finding("length", "length", 1, length.verdict)
    if quiet is not None and quiet.covers(sent.time()):
        yield _finding("quiet_hours", "quiet_hours", 1, quiet.verdict)


def _from_standing(message: Message, policy: Policy, sent: datetime, standing: Standing) -> Iterator[Finding]:
    rules = policy.rules
    at = int(sent.timestamp() * 1000)
    written = text_hash(message.text)
    today = standing.count(sent.toordinal())
    standing.remember(at, written)
    if rules.quota is not None and today > rules.quota.per_day:
        yield _finding("quota", "quota", 1, rules.quota.verdict)
    flood, duplicate = rules.flood, rules.duplicate
    remembered = len(standing.recent)  # most members write too seldom for either rule to be worth a look
    if (
        flood is not None
        and remembered >= flood.messages
        and standing.messages_since(at - flood.seconds * 1000) >= flood.messages
    ):
        yield _finding("flood", "flood", 2, flood.verdict)
    if (
        duplicate is not None
        and remembered >= duplicate.times
        and len(message.text) >= duplicate.min_characters
        and standing.repeats_since(at - duplicate.seconds * 1000, written) >= duplicate.times
    ):
        yield _finding("duplicate", "duplicate", 2, duplicate.verdict)


def _is_too_long(message: Message, rule: LengthRule) -> bool:
    if rule.max_characters is not None and len(message.text) > rule.max_characters:
        return True
    return rule.max_seconds is not None and (message.duration_seconds or 0) > rule.max_seconds


def _finding(rule: str, category: str, severity: int, outcome: Outcome, spans: list[Span] | None = None) -> Finding:
    places = tuple((span.start, span.end) for span in spans or ())
    reason = Reason(rule=rule, category=category, severity=severity, confidence=1.0, spans=places)
    return Finding(reason, outcome)
