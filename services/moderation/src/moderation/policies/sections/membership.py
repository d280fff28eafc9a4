"""What a policy says about members: the rules and how they are made known, welcome, consent, roster, leaving."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from huiqun.privacy.text import ComparedText, MaskedText
from moderation.policies.sections.consent import ConsentRule
from moderation.policies.sections.leaving import LeavingRule
from moderation.policies.sections.patrol import PatrolRule
from moderation.policies.sections.posting import PostingRule
from moderation.policies.sections.roster import RosterRule
from moderation.policies.sections.section import PolicyFault, PolicySection
from moderation.policies.sections.texts import list_placeholders
from moderation.policies.sections.welcome import WelcomeRule

RulesText = Annotated[str, MaskedText(min_length=1, max_length=5_000)]
Url = Annotated[str, ComparedText(max_length=500, pattern=r"^https?://[^\s<>\"]+$")]


class MembershipRules(PolicySection):
    """Nothing of it is done unless it is written down."""

    rules_text: RulesText | None = Field(
        default=None, description="The rules of the group.", examples=["1. 文明交流。\n2. 不发广告。"]
    )
    rules_url: Url | None = Field(
        default=None,
        description="Address of the page on which the rules stand in full.",
        examples=["https://bank.example.com/rules"],
    )
    welcome: WelcomeRule | None = Field(default=None, description="Greeting of newcomers; null for none.")
    consent: ConsentRule | None = Field(default=None, description="Consent to the rules; null where nobody is asked.")
    posting: PostingRule | None = Field(default=None, description="Posting of the rules in the group; null for none.")
    roster: RosterRule | None = Field(
        default=None, description="Checks of the roster against the authorised staff; null for none."
    )
    patrol: PatrolRule | None = Field(default=None, description="Patrols of the group; null for none.")
    leaving: LeavingRule | None = Field(
        default=None, description="Answer to members who ask how to leave the group; null for none."
    )

    @property
    def has_rules(self) -> bool:
        """Whether there is something to post and to agree to."""
        return self.rules_text is not None or self.rules_url is not None

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find what asks members to read or agree to rules that are not there."""
        if not self.has_rules:
            for name, section in (("consent", self.consent), ("posting", self.posting)):
                if section is not None:
                    yield PolicyFault((name,), "Without rules_text or rules_url there are no rules.")
        if self.rules_url is None:
            for path, text in (
                (("welcome", "text"), self.welcome.text if self.welcome else ""),
                (("consent", "ask"), (self.consent and self.consent.ask) or ""),
            ):
                if "rules_url" in list_placeholders(text):
                    yield PolicyFault(path, "It holds {rules_url}, and there is none.")
        yield from super().list_faults()
