"""Who has agreed to which rules, how a reply counts as consent, and what members are told about it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self

from huiqun.channel.directory.model import member_key
from huiqun.contracts.channel import Action, Role
from huiqun.contracts.channel.mentions import AddressedText, TextSegment, compose_text, join_texts
from huiqun.contracts.channel.shown_names import clean_group_name
from huiqun.contracts.moderation import Verdict
from huiqun.privacy.links import LinkGrant, LinkPurpose
from moderation.channel_requests.model import MEMBERSHIP_LIFETIME, ActionTerms, private_message
from moderation.lexicon.matching.folding import strip_text
from moderation.policies.model import Policy
from moderation.policies.sections.consent import ConsentRule
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.section import Outcome

CONSENT_LINK: Final = LinkPurpose("huiqun/moderation/consent", "/consent?token={token}", ("group", "member"))
#: What is longer is no reply that agrees to anything, or asks how to leave.
LONGEST_REPLY: Final = 60
_BETWEEN_HINTS: Final = timedelta(hours=1)


class ConsentStep(StrEnum):
    """Where the holder of a link stands."""

    ASKED = "asked"
    AGREED = "agreed"
    GONE = "gone"
    NOT_ASKED = "not_asked"


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


@dataclass(frozen=True, slots=True)
class AgreedRules:
    """The rules of a version that somebody has agreed to, in their words."""

    version: str
    text: str | None
    url: str | None
    first_agreed_at: datetime


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
def _digest_rules(text: str | None, url: str | None) -> str:
    return hashlib.blake2b(f"{text or ''}\0{url or ''}".encode(errors="replace"), digest_size=6).hexdigest()


def rules_version_of(rules: MembershipRules) -> str | None:
    """Return the version of the rules that members see: it changes with their words, not with the policy's rest."""
    return _digest_rules(rules.rules_text, rules.rules_url) if rules.has_rules else None


def has_agreed(state: ConsentState, rules: MembershipRules) -> bool:
    """Whether the member has agreed to these rules, or to others where those will do."""
    if rules.consent is None or state.agreed_to is None:
        return rules.consent is None
    return not rules.consent.renew or state.agreed_to == rules_version_of(rules)


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


def normalize_reply(text: str) -> str:
    """Return the words of a message in one spelling, without those whom it addresses."""
    if "@" in text or "＠" in text:
        text = " ".join(word for word in text.split() if not word.startswith(("@", "＠")))
    return strip_text(text)


def is_consent_reply(reply: str, rule: ConsentRule) -> bool:
    """Whether a normalized reply is one by which its sender agrees."""
    return reply in normalize_phrases(rule.phrases)


@lru_cache(maxsize=1_024)
def normalize_phrases(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phrases of a policy in the spelling of normalized replies."""
    return tuple(map(strip_text, phrases))


@dataclass(frozen=True, slots=True)
class ConsentLinkHolder:
    """The member whom a link to agree by was made for."""

    group_id: str
    member_id: str

    @classmethod
    def from_link(cls, grant: LinkGrant) -> Self:
        """Read from a link whom it was made for."""
        return cls(grant.claims["group"], grant.claims["member"])

    @property
    def claims(self) -> Mapping[str, str]:
        """The same as a link says it."""
        return {"group": self.group_id, "member": self.member_id}


def reminder_key(state_key: str) -> str:
    """Return the key of the task that reminds the member of this state to agree."""
    return f"consent/{state_key}"


def consent_message(group_id: str, member_id: str, text: AddressedText, now: datetime) -> Action:
    """Write to a member in private about their consent."""
    return private_message(group_id, member_id, text, ActionTerms(now, "consent", MEMBERSHIP_LIFETIME))


def consent_question(rules: MembershipRules, group: str, *, by_link: bool) -> AddressedText | None:
    """How members are asked in a group to agree; None where they are not. `by_link`: each is sent a page to do so."""
    consent = rules.consent
    if consent is None:
        return None
    usual = "请打开私信发给您的链接，阅读并确认群规。" if by_link else "请阅读群规，并在群内回复“{phrase}”。"
    return fill_text(consent.ask or usual, rules, group, phrase=consent.phrases[0])


def consent_hint(rules: MembershipRules, group: str, outcome: Outcome) -> AddressedText:
    """What a member is privately told who writes without having agreed in time: what became of it, and what helps."""
    missing = f"您好，您还没有确认{called_group(group)}的群规"
    blocked = outcome is Verdict.BLOCK
    head = f"{missing}，刚才的发言已提请撤回。确认后即可正常发言。" if blocked else f"{missing}，请先确认再发言。"
    consent = rules.consent
    if consent is None or not consent.by_link:
        return join_paragraphs(head, consent_question(rules, group, by_link=False))
    # Which link they were sent, and whether it is still good, is not known here.
    either = "打开私信里的群规确认链接，或在群内回复“{phrase}”，均可确认。"
    return join_paragraphs(head, fill_text(either, rules, group, phrase=consent.phrases[0]))


def fill_text(text: str, rules: MembershipRules, group: str, **values: TextSegment) -> AddressedText:
    """Fill in a text of the policy that may name the group and the address of its rules."""
    return compose_text(text, group=clean_group_name(group) or "本群", rules_url=rules.rules_url or "", **values)


def called_group(group: str) -> str:
    """What a member is told in private that a group is called."""
    shown = clean_group_name(group)
    return f"“{shown}”" if shown else "所在群"


def join_paragraphs(*parts: TextSegment | None) -> AddressedText:
    """Put a text together, leaving out what is not there."""
    return join_texts("\n\n", [part for part in parts if part])
