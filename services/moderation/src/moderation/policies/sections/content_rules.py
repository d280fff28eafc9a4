"""What a policy says about what messages hold: links, contacts, personal data, kinds, announcements, likeness."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from huiqun.contracts.channel import MessageKind
from huiqun.contracts.moderation import Verdict
from huiqun.privacy.text import ComparedText
from moderation.policies.sections.message_rule import Rule, verdict_field
from moderation.policies.sections.section import Outcome, PolicyFault


def _domain(name: str) -> str:
    if re.fullmatch(r"[\w.-]{1,253}", name) is None:
        raise ValueError("a domain alone is wanted, such as bank.example.com, without https:// and without a path")
    return name.lower()


Domain = Annotated[str, ComparedText(strip_whitespace=True), AfterValidator(_domain)]


class LinkRule(Rule):
    """Links only to these domains and what stands below them."""

    allowed_domains: tuple[Domain, ...] = Field(
        default=(),
        max_length=1_000,
        description="Domains that links may lead to, with all subdomains.",
        examples=[["bank.example.com"]],
    )
    verdict: Outcome = verdict_field(Verdict.BLOCK)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find domains that are none, or that would allow a whole top-level domain."""
        for index, domain in enumerate(self.allowed_domains):
            labels = domain.split(".")
            path = ("allowed_domains", index)
            if not all(labels):
                yield PolicyFault(path, f"{domain} is no domain: it has two dots together, or one at an end.")
            elif len(labels) == 1:
                yield PolicyFault(path, f"{domain} would allow every link that ends in it.")


class ContactRule(Rule):
    """No WeChat ids or QQ numbers offered for contact; a mobile number by itself is personal data."""

    verdict: Outcome = verdict_field(Verdict.BLOCK)


class PersonalDataRule(Rule):
    """No ID cards, bank cards and the like in the group; they are masked whatever the verdict."""

    verdict: Outcome = verdict_field(Verdict.BLOCK)


class KindRule(Rule):
    """Kinds of messages that customers may not send."""

    forbidden: tuple[MessageKind, ...] = Field(
        default=(MessageKind.MINI_PROGRAM, MessageKind.CARD),
        max_length=20,
        description="The kinds of messages that are forbidden.",
        examples=[["mini_program", "card"]],
    )
    verdict: Outcome = verdict_field(Verdict.BLOCK)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find that nothing is forbidden, or texts are."""
        if not self.forbidden:
            yield PolicyFault(("forbidden",), "It forbids no kind of message.")
        if MessageKind.TEXT in self.forbidden:
            yield PolicyFault(("forbidden",), "Without texts, hardly anything could be said.")


class ProbationRule(Rule):
    """No links, cards or contacts from newcomers: for so many hours, and until so many messages of substance."""

    hours: int = Field(
        default=24,
        ge=0,
        le=720,
        description="Hours that a newcomer is on probation, from the first message on.",
        examples=[24],
    )
    messages: int = Field(
        default=3,
        ge=0,
        le=50,
        description="Messages of substance after which a newcomer is no longer on probation.",
        examples=[3],
    )
    verdict: Outcome = verdict_field(Verdict.BLOCK)


class AnnouncementRule(Rule):
    """Nobody but staff publishes what looks like an official announcement."""

    verdict: Outcome = verdict_field(Verdict.REVIEW)


class ClassifierRule(Rule):
    """A person looks at what resembles abuse as a whole, whatever words it is made of; never more than that."""

    threshold: float = Field(
        default=0.9, ge=0.5, le=1, description="The least probability of abuse that is looked at.", examples=[0.9]
    )
    verdict: Literal[Verdict.REVIEW] = verdict_field(Verdict.REVIEW)
