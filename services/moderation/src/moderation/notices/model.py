"""What members and staff are told about offences and other things of a group, in the words of its policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from huiqun.channel.actions.context import NO_CONTEXT, ActionContext
from huiqun.contracts.channel import Action, ActionTarget
from huiqun.contracts.channel.mentions import AddressedText, Mention, TextSegment, compose_text
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import GroupMode
from moderation.channel_requests.model import ActionTerms, private_message, staff_task
from moderation.policies.sections.wording import Wording

#: What a member did, as a reason in a sentence; of personal data, what it is.
CATEGORY_NAMES: Mapping[str, str] = {
    "ads": "发布广告",
    "solicitation": "引流拉客",
    "fraud": "涉嫌欺诈",
    "abuse": "辱骂他人",
    "politics": "讨论敏感话题",
    "obscenity": "发布低俗内容",
    "violence": "发布暴力内容",
    "rumour": "传播未经证实的消息",
    "id_card": "身份证号",
    "bank_card": "银行卡号",
    "mobile": "手机号码",
    "email": "邮箱地址",
    "links": "发送外部链接",
    "quota": "超出每日发言条数",
    "length": "发言过长",
    "flood": "刷屏",
    "duplicate": "重复发言",
    "quiet_hours": "在免打扰时段发言",
    "kind": "发送本群不支持的消息类型",
    "probation": "在新成员观察期内发送外部联系方式",
    "announcement": "冒用官方口吻",
    "promise": "违规承诺收益",
    "impolite": "服务用语不当",
    "consent": "尚未确认群规",
    "reported": "发言被成员举报",
    "quiet": "在安静模式期间发言",
    "lockdown": "在暂停发言期间发言",
    "oversize": "发言超长",
    "unreadable": "无法读取的消息",
}
_USUAL_WORDING = Wording()
_PERSONAL_DATA = frozenset({"id_card", "bank_card", "mobile", "email"})


@dataclass(frozen=True, slots=True)
class Offence:
    """What a member did, as far as the words to them need it, and the message and event it was seen in."""

    group_id: str
    member_id: str
    message_id: str
    category: str
    at: datetime
    context: ActionContext = NO_CONTEXT
    wording: Wording = _USUAL_WORDING
    channel: str = DEFAULT_CHANNEL

    @property
    def category_name(self) -> str:
        """What its category is called in words to members, by the policy."""
        return category_name(self.category, self.wording)

    @property
    def reason(self) -> str:
        """What the member did, as a reason in a sentence, by the policy."""
        return offence_reason(self.category, self.wording)

    def compose_text(self, text: str, **fields: TextSegment) -> AddressedText:
        """Fill in a text of the policy about this offence: {member} is the offender, {category} the reason."""
        usual: dict[str, TextSegment] = {"category": self.reason, "member": Mention(self.member_id)}
        return compose_text(text, **{**usual, **fields})


def category_name(category: str, wording: Wording = _USUAL_WORDING) -> str:
    """What a category is called in words to members."""
    return wording.categories.get(category) or CATEGORY_NAMES.get(category, category)


def offence_reason(category: str, wording: Wording = _USUAL_WORDING) -> str:
    """What a member did whose offence is of this category, as a reason in a sentence."""
    name = category_name(category, wording)
    return f"发送{name}" if is_personal_data(category) else name


def is_personal_data(category: str) -> bool:
    """Whether the category is about the member's own data."""
    return category in _PERSONAL_DATA


def personal_data_notice(offence: Offence) -> Action:
    """Tell a member in private to protect their own data: no offence, and no sanction."""
    return _private_notice(offence, offence.wording.caution)


def group_mode_notice(offence: Offence) -> Action:
    """Tell a member in private that the group is quiet, or for staff alone: no offence, and no sanction."""
    wording = offence.wording
    text = {GroupMode.QUIET: wording.quiet, GroupMode.LOCKDOWN: wording.lockdown}[GroupMode(offence.category)]
    return _private_notice(offence, text)


def _private_notice(offence: Offence, text: str) -> Action:
    filled = offence.compose_text(text, category=offence.category_name)
    return private_message(offence.group_id, offence.member_id, filled, ActionTerms(offence.at, offence.category))


def staff_notice(offence: Offence) -> Action:
    """Tell a staff member how they should have put it: staff are never sanctioned by themselves."""
    text = offence.compose_text(offence.wording.staff)
    notice = staff_task(offence.group_id, offence.member_id, text, ActionTerms(offence.at, offence.category))
    return notice.model_copy(update={"target": ActionTarget(message_id=offence.message_id)})
