"""What a policy says to members and staff, in its own words; Chinese, unless somebody writes something else."""

from typing import Annotated

from pydantic import Field

from huiqun.privacy.text import MaskedText
from moderation.policies.sections.section import Category, PolicySection
from moderation.policies.sections.texts import Words, allow_placeholders

Name = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=32)]


class Wording(PolicySection):
    """The texts that go with what rules lead to. In each, certain names may stand in braces."""

    warning: Annotated[Words, allow_placeholders("member", "category", "appeal")] = Field(
        default="{member}您好，您在本群的发言不符合群规（{category}），请留意。"
        "多次违规将被禁言。如有异议，请回复“{appeal}”并说明理由。",
        description="Text to a member who is warned, in the group; may hold {member}, {category} and {appeal}, the "
        "phrase that appeals begin with.",
        examples=["{member}您好，您的发言不符合群规（{category}），请留意。"],
    )
    mute: Annotated[Words, allow_placeholders("member", "category", "span", "appeal")] = Field(
        default="{member}您好，您因多次违反群规（{category}）已被禁言 {span}。如有异议，请{appeal}申诉。",
        description="Text with a mute; may hold {member}, {category}, {span} and {appeal}, which says where.",
        examples=["{member}您好，您因多次违反群规（{category}）已被禁言 {span}。"],
    )
    removal: Annotated[Words, allow_placeholders("member", "category")] = Field(
        default="成员 {member} 多次违反群规（{category}），建议移出群聊，请核实后决定。",
        description="Text to the owner, who is to decide on a removal; may hold {member} and {category}.",
        examples=["成员 {member} 多次违反群规（{category}），请核实后决定。"],
    )
    caution: Annotated[Words, allow_placeholders("category")] = Field(
        default="您好，为保护您的信息安全，请勿在群内发送{category}；已发送的请尽快撤回。如需办理业务，请私信您的客户经理。",
        description="Private text to who has sent personal data; may hold {category}.",
        examples=["请勿在群内发送{category}。"],
    )
    staff: Annotated[Words, allow_placeholders("category")] = Field(
        default="您在群内的发言不符合服务规范（{category}），请及时更正。",
        description="Text to a staff member who should have put it otherwise; may hold {category}.",
        examples=["您的发言不符合服务规范（{category}），请更正。"],
    )
    quiet: Annotated[Words, allow_placeholders()] = Field(
        default="您好，您刚才发言的群正处于安静模式，请暂缓闲聊。"
        "如有疑问，请在群内 @工作人员 简短提问，我们会尽快回复。此条发言不计违规。",
        description="Private text to who writes while the group is quiet.",
        examples=["您好，您刚才发言的群正处于安静模式。"],
    )
    lockdown: Annotated[Words, allow_placeholders()] = Field(
        default="您好，您刚才发言的群暂停成员发言，目前仅由工作人员发布消息，恢复时将在群内通知。"
        "此条发言已提请撤回，不计违规。",
        description="Private text to who writes while only staff may.",
        examples=["您好，您刚才发言的群暂停成员发言。"],
    )
    categories: dict[Category, Name] = Field(
        default={},
        max_length=100,
        description="Names of categories in the texts, by category: of your own, or other than the usual ones.",
        examples=[{"gossip": "传播小道消息"}],
    )
