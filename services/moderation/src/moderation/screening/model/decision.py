"""The verdict on a message: every rule of its policy speaks, and the severest outcome wins."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from huiqun.contracts.channel import EditedMessage, Message, MessageReceived, Role
from huiqun.contracts.envelope import construct_unchecked
from huiqun.contracts.moderation import Screened, Verdict
from huiqun.privacy.text import mask_text
from moderation.policies.model import GroupSettings, Policy, Rule
from moderation.screening.model.evidence import NOTHING, Evidence
from moderation.screening.model.finding import Finding
from moderation.screening.model.form_rules import from_form, from_size
from moderation.screening.model.limits import MAX_MENTIONS, bounded, masked_quotation
from moderation.screening.model.mode_rule import from_mode
from moderation.screening.model.standing_rules import from_probation, from_standing, learn
from moderation.screening.model.text_rules import from_beginning, from_quotation, from_text, from_words
from moderation.standing.model import Standing

# What a text says by quoting another one; how long it is, when and how often it is sent is the sender's own doing.
_QUOTABLE = frozenset({"lexicon", "links", "contacts", "announcements"})
# Of an enumeration, reading a member by its name takes as long as half a rule: there are a dozen of them a message.
_ALLOW, _CUSTOMER, _STAFF = Verdict.ALLOW, Role.CUSTOMER, Role.STAFF
_ORDER = {Verdict.ALLOW: 0, Verdict.WARN: 1, Verdict.REVIEW: 2, Verdict.BLOCK: 3}


class Decision(NamedTuple):
    """A judged message."""

    message: Message
    policy: Policy
    verdict: Verdict
    findings: tuple[Finding, ...]
    masked_text: str
    left_out: int = 0

    @property
    def revision(self) -> int:
        """0 as first sent, rising with each edit."""
        return self.message.revision if isinstance(self.message, EditedMessage) else 0

    @property
    def leading(self) -> Finding | None:
        """The finding that the verdict rests on; the severest reason where several ask for the same."""
        worst = [finding for finding in self.findings if finding.counts and finding.outcome == self.verdict]
        return max(worst, key=lambda finding: finding.reason.severity, default=None)

    @property
    def is_certain(self) -> bool:
        """Whether the verdict rests on more than a likeness."""
        return any(
            finding.counts and finding.outcome == self.verdict and finding.is_certain for finding in self.findings
        )

    def also(self, found: Finding) -> "Decision":
        """The decision with a finding that rests on something else than the message."""
        verdict = max(self.verdict, found.outcome, key=_ORDER.__getitem__)
        return self._replace(verdict=verdict, findings=(*self.findings, found))

    def quoting(self, categories: Collection[str]) -> "Decision":
        """The decision on a text that quotes what it is about: a person looks at what it has of these categories."""
        findings = tuple(
            replace(each, outcome=Verdict.REVIEW)
            if each.reason.rule in _QUOTABLE and each.reason.category in categories
            else each
            for each in self.findings
        )
        return self._replace(verdict=_severest(findings), findings=findings)

    def screened(self, lexicon_version: str, channel: str = MessageReceived.default_source) -> Screened:
        """What the other services get to know of a message that came from `channel`."""
        message = self.message
        sender = message.sender
        fields = {
            "channel": channel,
            "message_id": message.message_id,
            "group_id": message.group_id,
            "member_id": sender.member_id,
            "role": sender.role,
            "kind": message.kind,
            "duration_seconds": message.duration_seconds,
            "url": mask_text(message.url) if message.url else None,
            "revision": self.revision,
            "verdict": self.verdict,
            "reasons": bounded(tuple([finding.reason for finding in self.findings])) if self.findings else (),
            "policy_version": self.policy.label,
            "lexicon_version": lexicon_version,
            "masked_text": self.masked_text,
            "left_out": self.left_out,
            "mentions": message.mentions[:MAX_MENTIONS],
            "reply_to": message.reply_to,
            "quoted": masked_quotation(message.quoted) if message.quoted is not None else None,
            "sent_at": message.sent_at,
        }
        return construct_unchecked(Screened, fields)


def judge(
    message: Message, policy: Policy, settings: GroupSettings, standing: Standing | None, evidence: Evidence
) -> Decision:
    """Judge a message under its group's policy, and count it in the sender's standing.

    Staff have no standing: they are judged by the rules for staff only. Bots are recorded and masked, not judged.
    Findings of rules on trial are kept with the others, and nothing follows from them.
    An edited message is judged again and counted no second time.
    """
    role = message.sender.role
    if role is not _CUSTOMER:
        standing = None
    if standing is not None:
        found = _on_customer(message, policy, settings, standing, evidence)
    elif role is _STAFF and evidence is not NOTHING and policy.rules.staff is not None:
        found = list(from_words("staff", policy.rules.staff.categories, evidence, fuzzy=False))
    else:
        found = []
    verdict = _ALLOW
    if found:
        found = list(_settled(found, message, policy, settings))
        verdict = _severest(found)
    if verdict is _ALLOW and standing is not None and not isinstance(message, EditedMessage):
        learn(message, standing)
    return Decision(message, policy, verdict, tuple(found), evidence.masked(message.text), evidence.left_out)


def _severest(findings: Iterable[Finding]) -> Verdict:
    outcomes: list[Verdict] = [each.outcome for each in findings if each.counts]
    return max(outcomes, key=_ORDER.__getitem__, default=_ALLOW)


def _settled(found: Iterable[Finding], message: Message, policy: Policy, settings: GroupSettings) -> Iterator[Finding]:
    """Leave out what an exception excuses, and mark what a rule on trial has found."""
    member_id, sent_at = message.sender.member_id, message.sent_at
    for each in found:
        reason = each.reason
        if any(exception.covers(reason, member_id, sent_at) for exception in settings.exceptions):
            continue
        rule = getattr(policy.rules, reason.rule, None)
        yield each.on_trial() if isinstance(rule, Rule) and rule.is_on_trial(reason.category) else each


def _on_customer(
    message: Message, policy: Policy, settings: GroupSettings, standing: Standing, evidence: Evidence
) -> list[Finding]:
    rules = policy.rules
    sent = message.sent_at.astimezone(settings.timezone)
    if standing.since is None:
        standing.since = message.sent_at
    found: list[Finding] = []
    if settings.mode is not None:
        found += from_mode(settings.mode, message)
    if rules.probation is not None:
        found += from_probation(rules.probation, message, standing, evidence)
    if rules.length is not None or rules.kinds is not None or rules.quiet_hours is not None:
        found += from_form(rules, message, sent, evidence)
    if evidence is not NOTHING:
        found += from_size(rules, evidence)
        found += from_text(rules, message, evidence)
        if evidence.quoted is not None:
            found += from_quotation(rules, message, evidence.quoted)
    if rules.announcements is not None:
        found += from_beginning(rules.announcements, message.text)
    if not isinstance(message, EditedMessage):
        found += from_standing(rules, message, sent, standing)
    return found
