"""What a policy says to members who want to leave."""

from pydantic import Field

from moderation.policies.sections.section import PolicySection
from moderation.policies.sections.texts import Phrase, Words


class LeavingRule(PolicySection):
    """Who asks how to leave is told, once in a while for the whole group."""

    phrases: tuple[Phrase, ...] = Field(
        default=("退群", "我要退群", "我想退群", "怎么退群", "如何退群", "怎样退群", "退出群聊"),
        min_length=1,
        max_length=20,
        description="Questions about leaving that count in a short message; of two or three characters only alone.",
        examples=[["退群", "怎么退群"]],
    )
    text: Words = Field(
        default="如需退群：点击右上角“…”，在页面底部选择“退出群聊”即可，不影响您的账户和业务。"
        "如需再次入群，请联系您的客户经理。",
        description="Answer to a member who asks how to leave.",
        examples=["如需退群：点击右上角“…”，选择“退出群聊”。"],
    )
    cooldown_minutes: int = Field(
        default=10, ge=1, le=1_440, description="Least minutes between two such answers in a group.", examples=[10]
    )
