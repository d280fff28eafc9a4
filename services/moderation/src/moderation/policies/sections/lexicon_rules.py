"""What a policy says about words of the lexicon: what each category leads to, for customers and for staff."""

from collections.abc import Iterator

from pydantic import Field

from huiqun.contracts.moderation import Verdict
from moderation.policies.sections.message_rule import Rule
from moderation.policies.sections.section import Category, Outcome, PolicyFault


class StaffRule(Rule):
    """Words that staff may not use, by category; staff are told or reviewed, never muted or removed."""

    categories: dict[Category, Outcome | None] = Field(
        default={"promise": Verdict.REVIEW, "impolite": Verdict.WARN},
        max_length=60,
        description="What a word of each category leads to: warn or review; null for nothing.",
        examples=[{"promise": "review", "impolite": "warn"}],
    )

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find categories that would block staff."""
        for category, outcome in self.categories.items():
            if outcome is Verdict.BLOCK:
                reason = "Staff are told or reviewed, never blocked: no rule mutes or removes them."
                yield PolicyFault(("categories", category), reason)


class LexiconRule(Rule):
    """What follows from a word of a category; a category that is not named does nothing."""

    categories: dict[Category, Outcome | None] = Field(
        default={
            "ads": Verdict.BLOCK,
            "solicitation": Verdict.BLOCK,
            "fraud": Verdict.BLOCK,
            "abuse": Verdict.BLOCK,
            "obscenity": Verdict.BLOCK,
            "violence": Verdict.BLOCK,
            "politics": Verdict.REVIEW,
            "rumour": Verdict.REVIEW,
        },
        max_length=60,
        description="What a word of each category leads to; null for nothing.",
        examples=[{"ads": "block", "politics": "review"}],
    )
    shadow_categories: tuple[Category, ...] = Field(
        default=(),
        max_length=60,
        description="Categories of words that are on trial: their findings are only recorded.",
        examples=[["rumour"]],
    )
    fuzzy: bool = Field(
        default=True,
        description="Whether words are also found by sound and look; such findings never block by themselves.",
        examples=[True],
    )

    def is_on_trial(self, category: str) -> bool:
        """Whether nothing follows from a word of this category."""
        return self.shadow or category in self.shadow_categories

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find categories that are on trial for nothing."""
        for index, category in enumerate(self.shadow_categories):
            if self.categories.get(category) is None:
                reason = f"{category} is on trial for nothing: name in categories what its words would lead to."
                yield PolicyFault(("shadow_categories", index), reason)
