"""From an offence to actions: what to delete, whom to warn, mute or propose for removal, and where to appeal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from huiqun.channel.actions.texts import format_duration
from huiqun.contracts.channel import Action, ActionKind, ActionPurpose, ActionTarget
from huiqun.contracts.channel.mentions import compose_text
from huiqun.contracts.moderation import SanctionKind
from huiqun.runtime.ids import new_id
from moderation.channel_requests.model import ACTION_LIFETIME, REQUESTED_BY, ActionTerms, private_message
from moderation.notices.model import Offence, is_personal_data
from moderation.policies.sections.ladder import Ladder
from moderation.standings.model import REMOVAL_RUNG, LadderStep, Standing, Strike, add_strike

#: Makes the address at which the offender can appeal against the sanction of this id.
AppealLink = Callable[[Offence, str], str]


@dataclass(frozen=True, slots=True)
class SanctionTerms:
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


class ImposedSanction(NamedTuple):
    """The sanction that an offence brings, and what to ask of the channel for it; the first action bears its id."""

    offence: Offence
    step: LadderStep
    actions: tuple[Action, ...]

    @property
    def sanction_id(self) -> str:
        """The id that strike, sanction and the first action share: whoever has one of them finds the others."""
        return self.actions[0].action_id


def impose_sanction(
    offence: Offence, weight: float, standing: Standing, terms: SanctionTerms
) -> ImposedSanction | None:
    """Count an offence in its author's standing, and return the sanction that it brings there, if any."""
    strike = Strike(new_id(), offence.message_id, offence.category, weight, offence.at)
    step = add_strike(standing, strike, terms.ladder, terms.highest)
    if step is None:
        return None
    actions: tuple[Action, ...] = (sanction_action(offence, step, terms, strike.id),)
    if step.until is not None and terms.appeal_link is not None and terms.mutes:
        # In private: whoever sees the link can appeal.
        actions += (appeal_link_message(offence, terms.appeal_link(offence, strike.id)),)
    return ImposedSanction(offence, step, actions)


def delete_message_action(offence: Offence, action_id: str) -> Action:
    """Take the message out of the group."""
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.DELETE_MESSAGE,
        target=ActionTarget(member_id=offence.member_id, message_id=offence.message_id),
        reason=offence.category,
        purpose=ActionPurpose.SANCTION,
        requested_by=REQUESTED_BY,
        deadline=offence.at + ACTION_LIFETIME,
    )


def sanction_action(offence: Offence, step: LadderStep, terms: SanctionTerms, sanction_id: str) -> Action:
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
        "deadline": offence.at + ACTION_LIFETIME,
    }
    wording = offence.wording
    if step.kind is SanctionKind.WARNING:
        text = offence.compose_text(wording.warning, appeal=terms.appeal_phrase)
        return Action(kind=ActionKind.SEND_MESSAGE, content=text.content, members=text.members, **common)
    if step.kind is SanctionKind.MUTE and step.until is not None:
        seconds = max(int((step.until - offence.at).total_seconds()), 1)
        where = "打开私信中的链接" if terms.appeal_link and terms.mutes else "私信群主"
        text = offence.compose_text(wording.mute, span=format_duration(seconds), appeal=where)
        # When it would be over, it is too late to begin with it.
        common["deadline"] = step.until
        return Action(
            kind=ActionKind.MUTE_MEMBER,
            content=text.content,
            members=text.members,
            duration_seconds=seconds,
            **common,
        )
    text = offence.compose_text(wording.removal)
    return Action(
        kind=ActionKind.NOTIFY_STAFF, assignee=terms.owner, content=text.content, members=text.members, **common
    )


def unmute_action(group_id: str, member_id: str, reason: str, at: datetime, action_id: str) -> Action:
    """End a mute."""
    return Action(
        action_id=action_id,
        group_id=group_id,
        kind=ActionKind.UNMUTE_MEMBER,
        target=ActionTarget(member_id=member_id),
        reason=reason,
        purpose=ActionPurpose.SANCTION,
        requested_by=REQUESTED_BY,
        deadline=at + ACTION_LIFETIME,
    )


def remove_member_action(offence: Offence, approved_by: str, action_id: str) -> Action:
    """Take a member out of the group; nobody is removed without the name of the person who approved it."""
    text = compose_text("因多次违反群规（{category}），经 {by} 核准移出群聊。", category=offence.reason, by=approved_by)
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.REMOVE_MEMBER,
        target=ActionTarget(member_id=offence.member_id, message_id=offence.message_id),
        content=text.content,
        reason=offence.category,
        purpose=ActionPurpose.SANCTION,
        requested_by=approved_by[:128],
        deadline=offence.at + ACTION_LIFETIME,
    )


def appeal_link_message(offence: Offence, appeal_link: str) -> Action:
    """Give a muted member in private the link by which they, and nobody else, can appeal."""
    text = offence.compose_text(
        "您好，您因多次违反群规（{category}）已被禁言。如有异议，请在 7 天内打开链接申诉：{link}", link=appeal_link
    )
    return private_message(offence.group_id, offence.member_id, text, ActionTerms(offence.at))


def removal_notice(offence: Offence, appeal_link: str) -> Action:
    """Tell a member in private why they are removed, and where they can appeal."""
    text = offence.compose_text(
        "您好，您因多次违反群规（{category}）将被移出群聊。如有异议，请在 7 天内打开链接申诉：{link}", link=appeal_link
    )
    return private_message(offence.group_id, offence.member_id, text, ActionTerms(offence.at))


def offence_weight(category: str, ladder: Ladder, *, blocked: bool) -> float:
    """What an offence of a category counts; twice that where the message was blocked."""
    weight = ladder.weights.get("personal_data" if is_personal_data(category) else category, 1.0)
    return weight * 2 if blocked else weight
