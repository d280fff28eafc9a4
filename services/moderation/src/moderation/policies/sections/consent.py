"""What a policy says about consent: how members are asked to agree to the rules."""

from typing import Annotated

from pydantic import Field

from moderation.policies.sections.section import Outcome, PolicySection
from moderation.policies.sections.texts import Phrase, Words, allow_placeholders


class ConsentRule(PolicySection):
    """Newcomers are asked to agree to the rules, by a reply in the group or on a page."""

    phrases: tuple[Phrase, ...] = Field(
        default=("我已阅读并同意", "已阅读并同意", "本人已阅读并同意", "我已阅读并同意群规"),
        min_length=1,
        max_length=20,
        description="Replies that count as consent, however spaced, punctuated and scripted; the first is asked for.",
        examples=[["我已阅读并同意"]],
    )
    ask: Annotated[Words, allow_placeholders("phrase", "group", "rules_url")] | None = Field(
        default=None,
        description="Text that asks for consent in the group; may hold {phrase}, {group} and {rules_url}. Without it "
        "members are asked to reply with the first phrase, or, where each gets a page, to open that.",
        examples=["请阅读群规，并在群内回复“{phrase}”。"],
    )
    by_link: bool = Field(
        default=False, description="Whether each newcomer also gets a page to agree on, in private.", examples=[True]
    )
    link_hours: int = Field(
        default=72, ge=1, le=8_760, description="Hours that the link to the consent page is valid.", examples=[72]
    )
    remind_after_hours: float = Field(
        default=24,
        ge=1,
        le=8_760,
        description="Hours until a member is reminded, and until the next reminder.",
        examples=[24],
    )
    reminders: int = Field(
        default=2, ge=0, le=10, description="The most reminders that a member is sent in private.", examples=[2]
    )
    verdict: Outcome | None = Field(
        default=None,
        description="Verdict on what customers write who have not agreed in time; null lets them go on.",
        examples=["warn"],
    )
    grace_hours: float = Field(
        default=24,
        ge=0,
        le=8_760,
        description="Hours that customers may write after they were asked, although they have not agreed.",
        examples=[24],
    )
    renew: bool = Field(
        default=False,
        description="Whether changed rules ask those again who agreed to others, and those never asked.",
        examples=[False],
    )
