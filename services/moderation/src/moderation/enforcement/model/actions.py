"""From a decision to actions: what to delete, whom to warn, mute or propose for removal, and in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from huiqun.channel.actions.context import NO_CONTEXT, ActionContext
from huiqun.channel.actions.texts import format_duration
from huiqun.contracts.channel import Action, ActionKind, ActionPurpose, ActionTarget
from huiqun.contracts.channel.mentions import AddressedText, Mention, TextSegment, compose_text
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import GroupMode, SanctionKind
from moderation.policies.model import Ladder, Wording
from moderation.standing.model import REMOVAL_RUNG, Climb

REQUESTED_BY = "moderation"
_DEADLINE = timedelta(hours=2)

CATEGORY_NAMES: Mapping[str, str] = {
    "ads": "广告推销",
    "solicitation": "引流拉客",
    "fraud": "涉嫌欺诈",
    "abuse": "辱骂他人",
    "politics": "敏感话题",
    "obscenity": "低俗内容",
    "violence": "暴力内容",
    "rumour": "未经证实的消息",
    "id_card": "身份证号",
    "bank_card": "银行卡号",
    "mobile": "手机号码",
    "email": "邮箱地址",
    "links": "外部链接",
    "quota": "每日发言条数",
    "length": "发言长度",
    "flood": "刷屏",
    "duplicate": "重复发言",
    "quiet_hours": "免打扰时段发言",
    "kind": "本群不支持的消息类型",
    "probation": "新成员观察期内发送外部联系方式",
    "announcement": "冒用官方口吻",
    "promise": "违规承诺收益",
    "impolite": "服务用语不当",
    "consent": "尚未确认群规",
    "reported": "成员举报的内容",
    "quiet": "安静模式期间发言",
    "lockdown": "暂停发言期间发言",
    "oversize": "超长内容",
    "unreadable": "无法读取的消息",
}
_USUAL_WORDS = Wording()
_PERSONAL = frozenset({"id_card", "bank_card", "mobile", "email"})


@dataclass(frozen=True, slots=True)
class Offence:
    """What a member did, as far as the words to them need it, and the message and event it was seen in."""

    group_id: str
    member_id: str
    message_id: str
    category: str
    at: datetime
    context: ActionContext = NO_CONTEXT
    wording: Wording = _USUAL_WORDS
    channel: str = DEFAULT_CHANNEL

    @property
    def named(self) -> str:
        """What its category is called in words to members."""
        return self.wording.categories.get(self.category) or name_of(self.category)

    def said(self, text: str, **fields: TextSegment) -> AddressedText:
        """A text of the policy about this offence; {member} in it names the offender."""
        return compose_text(text, category=self.named, member=Mention(self.member_id), **fields)


#: Makes the address at which the offender can appeal against the sanction of this id.
AppealLink = Callable[[Offence, str], str]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a group sanctions: its ladder, who decides on removal, and where a member can appeal, if there is a page.

    `appeal_phrase` is what an appeal in the group begins with, `highest` the rung that the evidence is good for,
    `mutes` whether anybody can mute a member there.
    """

    ladder: Ladder
    owner: str | None = None
    appeal_link: AppealLink | None = None
    appeal_phrase: str = "申诉"
    highest: int = REMOVAL_RUNG
    mutes: bool = True


def deletion(offence: Offence, action_id: str) -> Action:
    """Take the message out of the group."""
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.DELETE_MESSAGE,
        target=ActionTarget(member_id=offence.member_id, message_id=offence.message_id),
        reason=offence.category,
        purpose=ActionPurpose.SANCTION,
        requested_by=REQUESTED_BY,
        deadline=offence.at + _DEADLINE,
    )


def caution(offence: Offence, action_id: str) -> Action:
    """Tell a member in private to protect their own data: no offence, and no sanction."""
    text = offence.said(offence.wording.caution)
    said = word(offence.group_id, offence.member_id, text, offence.at, action_id)
    return said.model_copy(update={"reason": offence.category})


def hush(offence: Offence, action_id: str) -> Action:
    """Tell a member in private that the group is quiet, or for staff alone: no offence, and no sanction."""
    wording = offence.wording
    text = {GroupMode.QUIET: wording.quiet, GroupMode.LOCKDOWN: wording.lockdown}[GroupMode(offence.category)]
    said = word(offence.group_id, offence.member_id, offence.said(text), offence.at, action_id)
    return said.model_copy(update={"reason": offence.category})


def notice_to_staff(offence: Offence, action_id: str) -> Action:
    """Tell a staff member how they should have put it: staff are never sanctioned by themselves."""
    text = offence.said(offence.wording.staff)
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.NOTIFY_STAFF,
        target=ActionTarget(message_id=offence.message_id),
        assignee=offence.member_id,
        content=text.content,
        members=text.members,
        reason=offence.category,
        requested_by=REQUESTED_BY,
        deadline=offence.at + _DEADLINE,
    )


def sanction(offence: Offence, climb: Climb, terms: Terms, sanction_id: str) -> Action:
    """Carry out a rung of the ladder: warn in the group, mute, or ask a staff member to decide on removal.

    The action bears the id of its sanction.
    """
    common = {
        "action_id": sanction_id,
        "group_id": offence.group_id,
        "target": ActionTarget(member_id=offence.member_id, message_id=offence.message_id),
        "reason": offence.category,
        "purpose": ActionPurpose.SANCTION,
        "requested_by": REQUESTED_BY,
        "deadline": offence.at + _DEADLINE,
    }
    wording = offence.wording
    if climb.kind is SanctionKind.WARNING:
        text = offence.said(wording.warning, appeal=terms.appeal_phrase)
        return Action(kind=ActionKind.SEND_MESSAGE, content=text.content, members=text.members, **common)
    if climb.kind is SanctionKind.MUTE and climb.until is not None:
        seconds = max(int((climb.until - offence.at).total_seconds()), 1)
        where = "打开私信中的链接" if terms.appeal_link else "私信群主"
        text = offence.said(wording.mute, span=format_duration(seconds), appeal=where)
        # When it would be over, it is too late to begin with it.
        common["deadline"] = climb.until
        return Action(
            kind=ActionKind.MUTE_MEMBER,
            content=text.content,
            members=text.members,
            duration_seconds=seconds,
            **common,
        )
    text = offence.said(wording.removal)
    return Action(
        kind=ActionKind.NOTIFY_STAFF, assignee=terms.owner, content=text.content, members=text.members, **common
    )


def release(group_id: str, member_id: str, reason: str, at: datetime, action_id: str) -> Action:
    """End a mute."""
    return Action(
        action_id=action_id,
        group_id=group_id,
        kind=ActionKind.UNMUTE_MEMBER,
        target=ActionTarget(member_id=member_id),
        reason=reason,
        purpose=ActionPurpose.SANCTION,
        requested_by=REQUESTED_BY,
        deadline=at + _DEADLINE,
    )


def removal(offence: Offence, approved_by: str, action_id: str) -> Action:
    """Take a member out of the group; nobody is removed without the name of the person who approved it."""
    text = compose_text("因多次违反群规（{category}），经 {by} 核准移出群聊。", category=offence.named, by=approved_by)
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.REMOVE_MEMBER,
        target=ActionTarget(member_id=offence.member_id, message_id=offence.message_id),
        content=text.content,
        reason=offence.category,
        purpose=ActionPurpose.SANCTION,
        requested_by=approved_by[:128],
        deadline=offence.at + _DEADLINE,
    )


def appeal_letter(offence: Offence, appeal_link: str, action_id: str) -> Action:
    """Give a muted member in private the link by which they, and nobody else, can appeal."""
    text = offence.said(
        "您好，您因多次违反群规（{category}）被禁言。如有异议，请在 7 天内打开 {link} 申诉。", link=appeal_link
    )
    return word(offence.group_id, offence.member_id, text, offence.at, action_id)


def farewell(offence: Offence, appeal_link: str, action_id: str) -> Action:
    """Tell a member in private why they are removed, and where they can appeal."""
    text = offence.said(
        "您好，因多次违反群规（{category}），您将被移出群聊。如有异议，请在 7 天内打开 {link} 申诉。", link=appeal_link
    )
    return word(offence.group_id, offence.member_id, text, offence.at, action_id)


def task(group_id: str, staff_id: str | None, text: AddressedText, at: datetime, action_id: str) -> Action:
    """Ask a staff member for something."""
    return Action(
        action_id=action_id,
        group_id=group_id,
        kind=ActionKind.NOTIFY_STAFF,
        assignee=staff_id,
        content=text.content,
        members=text.members,
        requested_by=REQUESTED_BY,
        deadline=at + _DEADLINE,
    )


def word(group_id: str, member_id: str, text: AddressedText, at: datetime, action_id: str) -> Action:
    """Tell a member something in private."""
    return Action(
        action_id=action_id,
        group_id=group_id,
        kind=ActionKind.SEND_PRIVATE,
        target=ActionTarget(member_id=member_id),
        content=text.content,
        members=text.members,
        requested_by=REQUESTED_BY,
        deadline=at + _DEADLINE,
    )


def remark(group_id: str, member_id: str, text: AddressedText, at: datetime, action_id: str) -> Action:
    """Say something in the group, to one of its members."""
    said = word(group_id, member_id, text, at, action_id)
    return said.model_copy(update={"kind": ActionKind.SEND_MESSAGE})


def name_of(category: str) -> str:
    """What a category is called in words to members."""
    return CATEGORY_NAMES.get(category, category)


def is_personal(category: str) -> bool:
    """Whether the category is about the member's own data."""
    return category in _PERSONAL


def weight_of(category: str, ladder: Ladder, *, blocked: bool) -> float:
    """What an offence of a category counts; twice that where the message was blocked."""
    weight = ladder.weights.get("personal_data" if is_personal(category) else category, 1.0)
    return weight * 2 if blocked else weight
