"""Keep each member's activity up to date with what is written, and with who comes and goes.

A placeholder for a member id names nobody: what strangers do under it is no member's activity.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engagement.audience import store
from engagement.metrics import COUNTED_MESSAGES
from huiqun.channel.directory.fold import DirectorySnapshot, GroupEvent, RosterEvent, without_placeholders
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import member_key
from huiqun.contracts.channel import MemberJoined
from huiqun.contracts.moderation import MessageScreened
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.runtime.placeholders import is_placeholder
from huiqun.work import Work


class Audience:
    """The use cases of the audience, over the directory of groups and members."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def record_groups(self, work: Work, events: Sequence[GroupEvent]) -> None:
        """Keep the latest word on each group."""
        await self._directory.record_events(work, events)

    async def record_members(self, work: Work, events: Sequence[RosterEvent]) -> None:
        """Note who came, changed, and left."""
        named = without_placeholders(events)
        changes = await self._directory.record_events(work, named)
        came = [event for event in named if isinstance(event, MemberJoined) and _counts(changes.directory, event)]
        known = await store.load_activities(
            work, changes.members, [(each.data.group_id, each.data.member_id) for each in came]
        )
        for event in came:
            known[member_key(event.data.group_id, event.data.member_id)].record_presence(
                truncate_to_milliseconds(event.time)
            )
        for key, activity in known.items():
            activity.gone_since = changes.members[key].left_at
        await store.save_activities(work, known.values())

    async def count_messages(self, work: Work, events: Sequence[MessageScreened]) -> None:
        """Count messages as first sent; an edit adds nothing, and a message withdrawn later stays counted."""
        messages = [each for each in events if each.data.revision == 0 and not is_placeholder(each.data.member_id)]
        if not messages:
            return
        directory = await self._directory.record_senders(work, messages)
        messages = [event for event in messages if _counts(directory, event)]
        known = await store.load_activities(work, (), [(each.data.group_id, each.data.member_id) for each in messages])
        counted = 0
        for event in messages:
            message, at = event.data, event.written_at
            zone = ZoneInfo(directory.group(message.group_id).profile.timezone)
            activity = known[member_key(message.group_id, message.member_id)]
            activity.gone_since = directory.member(message.group_id, message.member_id).left_at
            counted += activity.count_message(message.verdict, at, at.astimezone(zone).date())
        await store.save_activities(work, known.values())
        COUNTED_MESSAGES.labels(counted="yes").inc(counted)
        COUNTED_MESSAGES.labels(counted="no").inc(len(events) - counted)


def _counts(directory: DirectorySnapshot, event: MemberJoined | MessageScreened) -> bool:
    """Whether it may be kept: not of who was erased since, or has not come anew."""
    at = event.written_at if isinstance(event, MessageScreened) else truncate_to_milliseconds(event.time)
    return not directory.member(event.data.group_id, event.data.member_id).is_suppressed_at(at)
