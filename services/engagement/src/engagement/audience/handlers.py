"""Keep each member's activity up to date with what is written, and with who comes and goes.

A placeholder for a member id names nobody: what strangers do under it is no member's activity.
"""

from collections.abc import Sequence

from engagement.audience import store
from engagement.audience.model import key_of
from engagement.metrics import ACTIVITY
from huiqun.contracts.channel import GroupCreated, GroupUpdated, MemberJoined, MemberLeft, MemberUpdated
from huiqun.contracts.moderation import MessageScreened
from huiqun.runtime.clock import whole_milliseconds
from huiqun.runtime.placeholders import is_placeholder
from huiqun.work import Work


async def record_groups(events: Sequence[GroupCreated | GroupUpdated], work: Work) -> None:
    """Keep the latest word on each group."""
    await store.save_groups(work, list({event.data.group_id: event.data for event in events}.values()))


async def record_members(events: Sequence[MemberJoined | MemberUpdated | MemberLeft], work: Work) -> None:
    """Note who came, changed role, and left."""
    members = [event for event in events if not is_placeholder(event.data.member_id)]
    known = await store.load(work, [(event.data.group_id, event.data.member_id) for event in members])
    for event in members:
        activity = known[key_of(event.data.group_id, event.data.member_id)]
        at = whole_milliseconds(event.time)
        match event:
            case MemberLeft():  # names no role that could be relied on
                activity.leave(at)
            case MemberJoined():
                activity.join(at)
                activity.take_role(event.data.role, at)
            case MemberUpdated():
                activity.take_role(event.data.role, at)
    await store.save(work, known.values())


async def count_messages(events: Sequence[MessageScreened], work: Work) -> None:
    """Count messages as first sent; an edit adds nothing, and a message withdrawn later stays counted."""
    messages = [event for event in events if event.data.revision == 0 and not is_placeholder(event.data.member_id)]
    if not messages:
        return
    zones = await store.zones(work, (event.data.group_id for event in messages))
    known = await store.load(work, [(event.data.group_id, event.data.member_id) for event in messages])
    counted = 0
    for event in messages:
        message, at = event.data, event.written_at
        activity = known[key_of(message.group_id, message.member_id)]
        activity.take_role(message.role, at)
        counted += activity.count(message.verdict, at, at.astimezone(zones[message.group_id]).date())
    await store.save(work, known.values())
    ACTIVITY.labels(counted="yes").inc(counted)
    ACTIVITY.labels(counted="no").inc(len(events) - counted)
