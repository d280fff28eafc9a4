"""Builders of events as a channel and moderation would send them; what a test does not name is ordinary."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar

from huiqun.contracts.channel import (
    Action,
    ActionCompleted,
    ActionRequested,
    Capabilities,
    Departure,
    EditedMessage,
    Group,
    GroupCreated,
    GroupDismissal,
    GroupDismissed,
    GroupListed,
    GroupListing,
    GroupUpdated,
    LeaveReason,
    ListedMember,
    Member,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    Message,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
    Recall,
    Receipt,
    Role,
    Sender,
    Support,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened, Screened, Verdict

#: A Sunday, in Shanghai.
NOON: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
#: A channel that does everything itself.
NATIVE: Final = Capabilities(send=Support.NATIVE, mute=Support.NATIVE, remove=Support.NATIVE, delete=Support.NATIVE)
#: A point in time, or so many minutes after NOON.
Moment = datetime | float
ReceiptT = TypeVar("ReceiptT", bound=Event)
_numbers = count(1)


def minutes_after_noon(moment: Moment) -> datetime:
    """The moment; a number is minutes after NOON."""
    return moment if isinstance(moment, datetime) else NOON + timedelta(minutes=moment)


def group_created(group: str, moment: Moment = 0, **fields: Any) -> GroupCreated:
    """A group comes into being; `fields` are those of Group."""
    return GroupCreated.create(group, Group(group_id=group, **fields), time=minutes_after_noon(moment))


def group_updated(group: str, moment: Moment = 0, **fields: Any) -> GroupUpdated:
    """A group's name, owner, purpose or capabilities change; `fields` are those of Group."""
    return GroupUpdated.create(group, Group(group_id=group, **fields), time=minutes_after_noon(moment))


def group_dismissed(group: str, moment: Moment = 0) -> GroupDismissed:
    """A group is dissolved."""
    return GroupDismissed.create(group, GroupDismissal(group_id=group), time=minutes_after_noon(moment))


def group_listed(
    group: str,
    members: Sequence[str | ListedMember],
    moment: Moment = 0,
    *,
    joined_at: datetime | None = None,
    **fields: Any,
) -> GroupListed:
    """A page of who is in a group at that moment; a member is named by an id, and is a customer then."""
    entries = [ListedMember(member_id=each, joined_at=joined_at) if isinstance(each, str) else each for each in members]
    data = GroupListing(group_id=group, members=tuple(entries), as_of=minutes_after_noon(moment), **fields)
    return GroupListed.create(group, data, time=minutes_after_noon(moment))


def member_joined(group: str, member: str, moment: Moment = 0, **fields: Any) -> MemberJoined:
    """A member, a customer unless said otherwise, comes into a group; `fields` are those of Member."""
    return MemberJoined.create(
        group, Member(group_id=group, member_id=member, **fields), time=minutes_after_noon(moment)
    )


def member_updated(group: str, member: str, moment: Moment = 0, **fields: Any) -> MemberUpdated:
    """A member's name, role or ids change; `fields` are those of Member."""
    return MemberUpdated.create(
        group, Member(group_id=group, member_id=member, **fields), time=minutes_after_noon(moment)
    )


def member_left(group: str, member: str, moment: Moment = 0, reason: LeaveReason = LeaveReason.LEFT) -> MemberLeft:
    """A member goes; a channel does not say what they were."""
    return MemberLeft.create(
        group, Departure(group_id=group, member_id=member, reason=reason), time=minutes_after_noon(moment)
    )


def message_received(  # noqa: PLR0913 - a builder
    number: int | None = None,
    group: str = "g1",
    member: str = "u1",
    text: str = "你好",
    sent_at: datetime | None = None,
    *,
    role: Role = Role.CUSTOMER,
    **fields: Any,
) -> MessageReceived:
    """A member's message, a customer's and of the present unless said otherwise; its id follows from `number`."""
    sent = sent_at or datetime.now(UTC)
    data = Message(
        message_id=f"m{next(_numbers) if number is None else number:05}",
        group_id=group,
        sender=Sender(member_id=member, role=role),
        text=text,
        sent_at=sent,
        **fields,
    )
    return MessageReceived.create(group, data, time=sent)


def message_edited(
    original: MessageReceived, text: str, revision: int = 1, *, member: str | None = None, time: datetime | None = None
) -> MessageEdited:
    """The message with another text, by its author or somebody else."""
    fields = original.data.model_dump(exclude={"text"})
    if member is not None:
        fields["sender"] = {"member_id": member}
    data = EditedMessage(**fields, text=text, revision=revision)
    return MessageEdited.create(data.group_id, data, time=time or original.time)


def message_recalled(original: MessageReceived, member: str | None = None, group: str | None = None) -> MessageRecalled:
    """The message withdrawn, by its author or somebody else."""
    group = group or original.data.group_id
    by = member or original.data.sender.member_id
    data = Recall(message_id=original.data.message_id, group_id=group, recalled_by=by)
    return MessageRecalled.create(group, data, time=original.time)


def message_screened(
    group: str, member: str, moment: Moment = 0, verdict: Verdict = Verdict.ALLOW, **fields: Any
) -> MessageScreened:
    """A judged message, written and judged at that moment unless `sent_at` says otherwise."""
    facts: dict[str, Any] = {"role": Role.CUSTOMER, "sent_at": minutes_after_noon(moment), **fields}
    data = Screened(
        message_id=f"m{next(_numbers)}",
        group_id=group,
        member_id=member,
        verdict=verdict,
        policy_version="default@1",
        lexicon_version="test",
        masked_text="您好",
        **facts,
    )
    return MessageScreened.create(group, data, time=minutes_after_noon(moment))


def message_allowed(received: MessageReceived) -> MessageScreened:
    """The message, judged and allowed."""
    said = received.data
    data = Screened(
        message_id=said.message_id,
        group_id=said.group_id,
        member_id=said.sender.member_id,
        role=said.sender.role,
        verdict=Verdict.ALLOW,
        policy_version="default@1",
        lexicon_version="test",
        masked_text=said.text,
        sent_at=said.sent_at,
    )
    return MessageScreened.create(said.group_id, data, time=received.time, cause=received)


def action_receipt(
    asked: Action | ActionRequested,
    kind: type[ReceiptT] = ActionCompleted,  # type: ignore[assignment] # the ordinary outcome
    moment: Moment | None = None,
    **fields: Any,
) -> ReceiptT:
    """What became of an action that was asked for: carried out, at the present, unless said otherwise."""
    action = asked.data if isinstance(asked, ActionRequested) else asked
    data = Receipt(action_id=action.action_id, group_id=action.group_id, **fields)
    when = datetime.now(UTC) if moment is None else minutes_after_noon(moment)
    return kind.create(data.group_id or data.action_id, data, time=when)
