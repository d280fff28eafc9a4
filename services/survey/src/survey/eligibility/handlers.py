"""Keep each member's eligibility up to date with what is written, and with who comes and goes.

A placeholder for a member id names nobody who could be asked.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from huiqun.channel.directory.fold import DirectorySnapshot, GroupEvent, RosterEvent, without_placeholders
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember, member_key
from huiqun.contracts.moderation import MessageScreened
from huiqun.runtime.placeholders import is_placeholder
from huiqun.work import Work
from survey.eligibility import store
from survey.eligibility.model import Eligibility, Obstacle
from survey.metrics import ELIGIBILITY_CHANGES

EligibilityByKey = dict[str, Eligibility]


class EligibilityRecords:
    """The use cases of eligibility, over the directory of groups and members."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def record_groups(self, work: Work, events: Sequence[GroupEvent]) -> None:
        """Keep the latest word on each group; nobody in a dissolved one can be asked any more."""
        changes = await self._directory.record_events(work, events)
        dismissed = [group.group_id for group in changes.groups.values() if group.dismissed_at is not None]
        known = await store.load_groups_eligibility(work, dismissed) if dismissed else {}
        before = _obstacles(known, work.now)
        for record in known.values():
            record.group_dismissed = True
        await _keep(work, known, before)

    async def record_members(self, work: Work, events: Sequence[RosterEvent]) -> None:
        """Note who came, changed role, and left."""
        changes = await self._directory.record_events(work, without_placeholders(events))
        await _place(work, changes.directory, changes.members.values())

    async def record_messages(self, work: Work, events: Sequence[MessageScreened]) -> None:
        """Note who wrote; an edit adds nothing."""
        messages = [each for each in events if each.data.revision == 0 and not is_placeholder(each.data.member_id)]
        directory = await self._directory.record_senders(work, messages)
        await _place(work, directory, directory.members.values(), messages)


async def _place(
    work: Work,
    directory: DirectorySnapshot,
    members: Collection[DirectoryMember],
    messages: Sequence[MessageScreened] = (),
) -> None:
    """Note where members stand, and what they wrote; nothing of who was erased and has not come anew."""
    members = [member for member in members if not member.is_suppressed]
    messages = [each for each in messages if not _sender(directory, each).is_suppressed_at(each.written_at)]
    known = await store.load_eligibility(work, [(member.group_id, member.member_id) for member in members])
    before = _obstacles(known, work.now)
    for member in members:
        known[member.key].update_membership(member, directory.group(member.group_id))
    for event in messages:
        known[member_key(event.data.group_id, event.data.member_id)].record_message(
            event.data.verdict, event.written_at
        )
    await _keep(work, known, before)


def _sender(directory: DirectorySnapshot, event: MessageScreened) -> DirectoryMember:
    return directory.member(event.data.group_id, event.data.member_id)


def _obstacles(known: EligibilityByKey, now: datetime) -> dict[str, Obstacle | None]:
    return {key: record.obstacle(now) for key, record in known.items()}


async def _keep(work: Work, known: EligibilityByKey, before: dict[str, Obstacle | None]) -> None:
    await store.save_eligibility(work, known.values())
    for key, obstacle in _obstacles(known, work.now).items():
        if obstacle is not before[key]:
            ELIGIBILITY_CHANGES.labels(now=obstacle.value if obstacle else "eligible").inc()
