"""What a policy says about newcomers: how they are greeted."""

from typing import Annotated

from pydantic import Field

from moderation.policies.sections.section import PolicySection
from moderation.policies.sections.texts import Words, allow_placeholders


class WelcomeRule(PolicySection):
    """Greet newcomers: those of a short window together, in one message."""

    text: Annotated[Words, allow_placeholders("name", "group", "rules_url")] = Field(
        default="欢迎 {name} 加入{group}！",
        description="Text of the greeting; may hold {name}, {group} and {rules_url}.",
        examples=["欢迎 {name} 加入{group}！"],
    )
    window_seconds: int = Field(
        default=30, ge=1, le=3_600, description="Seconds that newcomers are gathered for one greeting.", examples=[30]
    )
    with_rules: bool = Field(
        default=True, description="Whether the rules of the group follow the greeting.", examples=[True]
    )
    guide: Words | None = Field(
        default=None,
        description="Text on how the group is used, after the greeting; null for none.",
        examples=["提问请 @小惠，工作日 9:00-18:00 有专人解答。"],
    )
    safety: Words | None = Field(
        default="安全提示：请勿在群内发送身份证号、银行卡号、密码或验证码；工作人员不会索要密码和验证码，也不会要求转账。",
        description="Advice to members on how to keep safe, after the greeting; null for none.",
        examples=["安全提示：请勿在群内发送身份证号或银行卡号。"],
    )
