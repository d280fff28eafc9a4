"""Keep what the channel tells of groups; give them policies and rules of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.directory.fold import GroupEvent
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.channel import Action
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Task, Work
from moderation.policies import store
from moderation.policies.handlers.errors import InactivePolicyError, UnfitHeirsError
from moderation.policies.handlers.versions import POLICIES, Check
from moderation.policies.model import (
    DEFAULT_POLICY,
    UNKNOWN_GROUP,
    GroupSettings,
    InForce,
    Layer,
    Policy,
    layers_under,
    objections_to,
    policy_under,
)
from moderation.policies.store import GroupRecord

#: The task that has all that follows from groups' settings done for the groups of its payload.
APPLY_SETTINGS = "groups.apply_settings"


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """The policy that a group's messages are judged by, and what it is made of, the topmost layer first."""

    record: GroupRecord
    policy: Policy
    layers: Sequence[Layer]


async def record_groups(work: Work, events: Sequence[GroupEvent], directory: Directory) -> None:
    """Keep what the channel tells of groups in the directory, and have what follows from it done."""
    changes = await directory.record_events(work, events)
    await store.note_groups(work, changes.groups)
    announce_settings(work, list(changes.groups))


async def assign_policy(work: Work, group_id: str, policy_id: str | None, check: Check, actor: str) -> GroupRecord:
    """Give a group a policy that is in force, or the default.

    Raises UnknownPolicyError, InactivePolicyError, and UnfitHeirsError where the group's own rules do not go with
    it.
    """
    record = await find_group(work, group_id)
    check(record.revision)
    if policy_id is not None:
        head = await POLICIES.get_head(work, policy_id)
        if head.active is None:
            raise InactivePolicyError(policy_id)
    before = record.settings.policy_id
    if before == policy_id:
        return record
    settings = replace(record.settings, policy_id=policy_id)
    if settings.own is not None:
        layers = layers_under(await written_for(work, settings), settings)
        if found := objections_to(layers):
            raise UnfitHeirsError(f"group {group_id}: {found[0].reason}")
        await store.touch(work)
    await store.assign(work, group_id, policy_id)
    detail = {"policy": policy_id, "before": before}
    await append_audit_entry(work, AuditEntry(actor, "group.policy.assigned", f"group/{group_id}", detail))
    announce_settings(work, [group_id], other_policy=True)
    return replace(record, settings=settings, revision=record.revision + 1)


async def find_group(reader: Reader, group_id: str) -> GroupRecord:
    """What is known of a group; the defaults for one that nobody has told us of."""
    return await store.group(reader, group_id) or GroupRecord(group_id, UNKNOWN_GROUP)


async def find_superior(work: Work, action: Action) -> str | None:
    """Find who is told that nobody carries out an action in a group; None where its policy names nobody."""
    group = await find_group(work, action.record_key)
    return (await policy_in_force(work, group.settings)).rules.review.escalate_to


async def policy_in_force(reader: Reader, settings: GroupSettings) -> Policy:
    """The policy that the group's messages are judged by from now on."""
    return policy_under(await written_for(reader, settings), settings)


async def policy_of_group(reader: Reader, group_id: str) -> GroupPolicy:
    """The policy that the group's messages are judged by from now on, and what it is made of."""
    record = await find_group(reader, group_id)
    written = await written_for(reader, record.settings)
    return GroupPolicy(record, policy_under(written, record.settings), layers_under(written, record.settings))


async def written_for(reader: Reader, settings: GroupSettings) -> InForce:
    """What the versions in force say that a group with these settings is under."""
    return await store.in_force(reader, only={DEFAULT_POLICY, settings.policy_id or DEFAULT_POLICY})


def announce_settings(work: Work, group_ids: Sequence[str], *, other_policy: bool = False) -> None:
    """Have what follows from groups' settings done."""
    # A key of its own: two such tasks are for different groups, and neither may replace the other.
    payload = {"group_ids": list(group_ids), "other_policy": other_policy}
    work.schedule(Task(f"{APPLY_SETTINGS}/{new_id()}", APPLY_SETTINGS, work.now, payload))
