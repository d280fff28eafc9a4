"""Events of members and screened messages, and the orders in which Kafka may bring them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import hypothesis.strategies as st

from huiqun.contracts.channel import (
    Departure,
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
    Role,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened, Screened, Verdict

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # in Shanghai
_numbers = count(1)


def at(minute: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minute)


def joined(group: str, member: str, minute: float = 0, **fields: Any) -> MemberJoined:
    """A member, a customer unless said otherwise, comes into a group."""
    return MemberJoined.about(group, Member(group_id=group, member_id=member, **fields), time=at(minute))


def updated(group: str, member: str, minute: float = 0, **fields: Any) -> MemberUpdated:
    """A member's name, role or ids change."""
    return MemberUpdated.about(group, Member(group_id=group, member_id=member, **fields), time=at(minute))


def left(group: str, member: str, minute: float = 0, reason: LeaveReason = LeaveReason.LEFT) -> MemberLeft:
    """A member goes; a channel does not say what they were."""
    return MemberLeft.about(group, Departure(group_id=group, member_id=member, reason=reason), time=at(minute))


def created(group: str, timezone: str = "Asia/Shanghai") -> GroupCreated:
    """A group comes into being."""
    return GroupCreated.about(group, Group(group_id=group, timezone=timezone), time=NOON)


def described(group: str, minute: float = 0, **fields: Any) -> GroupUpdated:
    """A group's name, owner or purpose change."""
    return GroupUpdated.about(group, Group(group_id=group, **fields), time=at(minute))


def listed(
    group: str,
    members: Sequence[str | ListedMember],
    minute: float = 0,
    *,
    joined_at: datetime | None = None,
    **fields: Any,
) -> GroupListed:
    """A page of who is in a group at that minute; a member is named by an id, and is a customer then."""
    entries = [ListedMember(member_id=each, joined_at=joined_at) if isinstance(each, str) else each for each in members]
    data = GroupListing(group_id=group, members=tuple(entries), as_of=at(minute), **fields)
    return GroupListed.about(group, data, time=at(minute))


def dismissed(group: str, minute: float = 0) -> GroupDismissed:
    """A group is dissolved."""
    return GroupDismissed.about(group, GroupDismissal(group_id=group), time=at(minute))


def screened(
    group: str, member: str, minute: float = 0, verdict: Verdict = Verdict.ALLOW, **fields: Any
) -> MessageScreened:
    """A judged message, written and judged at that minute unless `sent_at` says otherwise."""
    facts: dict[str, Any] = {"role": Role.CUSTOMER, "sent_at": at(minute), **fields}
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
    return MessageScreened.about(group, data, time=at(minute))


@st.composite
def tellings(draw: st.DrawFn, streams: Sequence[Sequence[Event]]) -> list[list[Event]]:
    """Batches that bring every event at least once: what one partition holds comes in its order, the rest in any.

    Some batches come twice, and so does some of what they hold.
    """
    waiting = [list(stream) for stream in streams if stream]
    batches: list[list[Event]] = []
    while waiting:
        batch: list[Event] = []
        for _ in range(draw(st.integers(1, 4))):
            if not waiting:
                break
            stream = draw(st.sampled_from(waiting))
            taken = draw(st.integers(1, len(stream)))
            batch += stream[:taken]
            del stream[:taken]
            waiting = [each for each in waiting if each]
        repeated = draw(st.integers(0, 2))
        batches.append(batch + batch[:repeated])
        if draw(st.booleans()):
            batches.append(list(batch))
    return batches
