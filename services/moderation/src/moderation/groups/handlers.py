"""Keep what the channel tells of groups, and read what is known of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from huiqun.channel.directory.fold import GroupEvent
from huiqun.channel.directory.handlers import Directory
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Task, Work
from moderation.groups import store
from moderation.groups.model import UNKNOWN_GROUP, GroupRecord, GroupRevisions, GroupSettings, ModeSpan, OwnRules

#: The task that has all that follows from groups' settings done for the groups of its payload.
APPLY_SETTINGS: Final = "groups.apply_settings"


async def record_groups(work: Work, events: Sequence[GroupEvent], directory: Directory) -> None:
    """Keep what the channel tells of groups in the directory, and have what follows from it done."""
    changes = await directory.record_events(work, events)
    await store.mark_groups_changed(work, changes.groups)
    announce_settings(work, list(changes.groups))


def announce_settings(work: Work, group_ids: Sequence[str], *, other_policy: bool = False) -> None:
    """Have what follows from groups' settings done."""
    # A key of its own: two such tasks are for different groups, and neither may replace the other.
    payload = {"group_ids": list(group_ids), "other_policy": other_policy}
    work.schedule(Task(f"{APPLY_SETTINGS}/{new_id()}", APPLY_SETTINGS, work.now, payload))


async def set_group_policy(work: Work, group_id: str, policy_id: str | None) -> None:
    """Give a group its policy, and have what follows from it done; None gives it the default."""
    await store.set_group_policy(work, group_id, policy_id)
    announce_settings(work, [group_id], other_policy=True)


async def set_group_modes(work: Work, modes: Mapping[str, ModeSpan | None]) -> None:
    """Put groups in a mode, or back to the normal one with None; in force everywhere within two seconds."""
    await store.set_group_modes(work, modes)


async def set_own_rules(work: Work, own: OwnRules) -> None:
    """Let a group change these values in its policy; nothing else of what it said before stays."""
    await store.set_own_rules(work, own)


async def get_group(reader: Reader, group_id: str) -> GroupRecord:
    """Get what is known of a group; the defaults for one that nobody has told us of."""
    return await store.find_group(reader, group_id) or GroupRecord(group_id, UNKNOWN_GROUP)


async def list_group_settings(reader: Reader, group_ids: Collection[str]) -> dict[str, GroupSettings]:
    """Read the settings of each of these groups, by id; the defaults for one that nobody has told us of."""
    known = await store.list_group_settings(reader, group_ids) if group_ids else {}
    return {group_id: known.get(group_id, UNKNOWN_GROUP) for group_id in group_ids}


async def list_group_channels(reader: Reader, group_ids: Collection[str]) -> dict[str, str]:
    """Read the channel of each of these groups, by id; the default channel where nobody has told us of one."""
    return {group_id: each.channel for group_id, each in (await list_group_settings(reader, group_ids)).items()}


async def list_known_groups(reader: Reader, group_ids: Collection[str]) -> frozenset[str]:
    """Return those of these groups that we have been told of."""
    return frozenset(await store.list_group_settings(reader, group_ids)) if group_ids else frozenset()


async def list_groups(reader: Reader, after: str | None, limit: int) -> list[GroupRecord]:
    """List the groups by id, after the given one."""
    return await store.list_groups(reader, after, limit)


async def list_changed_groups(
    reader: Reader, seen: GroupRevisions | None
) -> tuple[dict[str, GroupSettings], GroupRevisions]:
    """List the groups that changed after the revisions `seen`, or all, by id, and the revisions now."""
    return await store.list_changed_groups(reader, seen)


async def list_groups_with_own_rules(work: Work) -> dict[str, GroupSettings]:
    """Read the settings of the groups that change something in their policies, by group."""
    return await store.list_groups_with_own_rules(work)


async def list_groups_ahead_of(work: Work, heads: str, limit: int) -> list[str]:
    """List groups whose own rules are not those that `heads`, the collection of their versions, has as active."""
    return await store.list_groups_ahead_of(work, heads, limit)
