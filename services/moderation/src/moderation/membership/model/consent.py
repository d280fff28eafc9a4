"""Who has agreed to which rules, and what follows where somebody has not."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from huiqun.channel.directory.model import member_key
from huiqun.contracts.channel import Role
from moderation.lexicon.model.folding import strip
from moderation.policies.model import Policy
from moderation.policies.sections.consent import ConsentRule
from moderation.policies.sections.leaving import LeavingRule
from moderation.policies.sections.membership import MembershipRules

LONGEST_REPLY = 60
_BETWEEN_HINTS = timedelta(hours=1)
_TOLD_APART = 4
_SHORT = 20


@dataclass(frozen=True, slots=True)
class Consent:
    """That a member agreed to a version of the rules, how, and under which version of the policy."""

    id: str
    group_id: str
    member_id: str
    rules_version: str
    policy_version: str
    given_by: str
    given_at: datetime


@dataclass(slots=True)
class ConsentState:
    """Where a member stands with the rules: what they agreed to and when, when they were last asked to.

    `hinted_at` is when they were last told why a message was taken out.
    """

    group_id: str
    member_id: str
    agreed_to: str | None = None
    agreed_at: datetime | None = None
    asked_at: datetime | None = None
    hinted_at: datetime | None = None

    @property
    def key(self) -> str:
        """The document's id, which the directory's is, too."""
        return member_key(self.group_id, self.member_id)


@lru_cache(maxsize=1_024)
def _digest(text: str | None, url: str | None) -> str:
    return hashlib.blake2b(f"{text or ''}\0{url or ''}".encode(errors="replace"), digest_size=6).hexdigest()


def version_of(rules: MembershipRules) -> str | None:
    """The version of the rules that members see: it changes with their words, not with the rest of the policy."""
    return _digest(rules.rules_text, rules.rules_url) if rules.has_rules else None


def has_agreed(state: ConsentState, rules: MembershipRules) -> bool:
    """Whether the member has agreed to these rules, or to others where those will do."""
    if rules.consent is None or state.agreed_to is None:
        return rules.consent is None
    return not rules.consent.renew or state.agreed_to == version_of(rules)


def may_speak(state: ConsentState | None, role: Role, policy: Policy, now: datetime) -> bool:
    """Whether a member may write although the rules ask for consent: who has agreed, or has still time to.

    Nobody is held to a question that they were never asked.
    """
    rules = policy.rules.membership
    consent = rules.consent
    if consent is None or consent.verdict is None or state is None or role is not Role.CUSTOMER:
        return True
    if state.asked_at is None or now < state.asked_at + timedelta(hours=consent.grace_hours):
        return True
    return has_agreed(state, rules)


def needs_hint(state: ConsentState, now: datetime) -> bool:
    """Whether a member whose message was taken out is to be told why: once an hour is enough."""
    return state.hinted_at is None or now - state.hinted_at >= _BETWEEN_HINTS


def plainly(text: str) -> str:
    """The words of a message in one spelling, without those whom it addresses: what the next two take."""
    if "@" in text or "＠" in text:
        text = " ".join(word for word in text.split() if not word.startswith(("@", "＠")))
    return strip(text)


def agrees(said: str, rule: ConsentRule) -> bool:
    """Whether a message is a reply by which its sender agrees."""
    return said in _normal(rule.phrases)


def asks_to_leave(said: str, rule: LeavingRule) -> bool:
    """Whether a short message asks how to leave: it is a phrase, or holds one that is long enough to mean it."""
    if len(said) > _SHORT:
        return False
    return any(phrase in said and (len(phrase) >= _TOLD_APART or phrase == said) for phrase in _normal(rule.phrases))


@lru_cache(maxsize=1_024)
def _normal(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(strip, phrases))
