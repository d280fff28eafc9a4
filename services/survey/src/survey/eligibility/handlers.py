"""Keep each member's eligibility up to date with what is written, and with who comes and goes.

A placeholder for a member id names nobody who could be asked.
"""

from collections.abc import Sequence
from datetime import datetime

from huiqun.contracts.channel import GroupDismissed, MemberJoined, MemberLeft, MemberUpdated
from huiqun.contracts.moderation import MessageScreened
from huiqun.runtime.clock import whole_milliseconds
from huiqun.runtime.placeholders import is_placeholder
from huiqun.work import Work
from survey.eligibility import store
from survey.eligibility.model import Eligibility, Obstacle, key_of
from survey.metrics import ELIGIBILITY_CHANGES

Known = dict[str, Eligibility]


async def dismiss_groups(events: Sequence[GroupDismissed], work: Work) -> None:
    """Nobody in a dissolved group can be asked any more."""
    group_ids = {event.data.group_id for event in events}
    await store.note_dismissed(work, group_ids)
    known = await store.members_of(work, group_ids)
    before = _obstacles(known, work.now)
    for record in known.values():
        record.group_dismissed = True
    await _keep(known, before, work)


async def record_members(events: Sequence[MemberJoined | MemberUpdated | MemberLeft], work: Work) -> None:
    """Note who came, changed role, and left."""
    members = [event for event in events if not is_placeholder(event.data.member_id)]
    known = await store.load(work, [(event.data.group_id, event.data.member_id) for event in members])
    before = _obstacles(known, work.now)
    for event in members:
        record = known[key_of(event.data.group_id, event.data.member_id)]
        at = whole_milliseconds(event.time)
        match event:
            case MemberLeft():  # names no role that could be relied on
                record.move(event.data.reason, at)
            case MemberJoined():
                record.move(None, at)
                record.take_role(event.data.role, at)
            case MemberUpdated():
                record.take_role(event.data.role, at)
    await _keep(known, before, work)


async def record_messages(events: Sequence[MessageScreened], work: Work) -> None:
    """Note who wrote; an edit adds nothing."""
    messages = [event for event in events if event.data.revision == 0 and not is_placeholder(event.data.member_id)]
    known = await store.load(work, [(event.data.group_id, event.data.member_id) for event in messages])
    before = _obstacles(known, work.now)
    for event in messages:
        record = known[key_of(event.data.group_id, event.data.member_id)]
        record.take_role(event.data.role, event.written_at)
        record.write(event.data.verdict, event.written_at)
    await _keep(known, before, work)


def _obstacles(known: Known, now: datetime) -> dict[str, Obstacle | None]:
    return {key: record.obstacle(now) for key, record in known.items()}


async def _keep(known: Known, before: dict[str, Obstacle | None], work: Work) -> None:
    await store.save(work, known.values())
    for key, obstacle in _obstacles(known, work.now).items():
        if obstacle is not before[key]:
            ELIGIBILITY_CHANGES.labels(now=obstacle.value if obstacle else "eligible").inc()
