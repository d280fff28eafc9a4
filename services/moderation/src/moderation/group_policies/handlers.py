"""Give groups their policies, and read which policy holds in a group."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.contracts.channel import Action, GroupKind
from huiqun.store import Reader
from huiqun.work import Work
from moderation.group_policies.model import GroupContext, GroupPolicy, InactivePolicyError
from moderation.groups.handlers import get_group, set_group_policy
from moderation.groups.model import GroupRecord, GroupSettings
from moderation.policies.handlers import (
    POLICIES,
    RevisionCheck,
    list_active_versions_for,
    raise_policies_revision,
)
from moderation.policies.model import InheritanceConflictError, Policy, build_policy, list_layers
from moderation.policies.sections.layers import validate_layers


async def assign_policy(
    work: Work, group_id: str, policy_id: str | None, check: RevisionCheck, actor: str
) -> GroupRecord:
    """Give a group a policy that is in force, or the default.

    Raises PolicyNotFoundError, InactivePolicyError, and InheritanceConflictError where the group's own rules do not go
    with it.
    """
    record = await get_group(work, group_id)
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
        layers = list_layers(await list_active_versions_for(work, settings), settings)
        if found := validate_layers(layers):
            raise InheritanceConflictError(f"group {group_id}: {found[0].reason}")
        await raise_policies_revision(work)
    await set_group_policy(work, group_id, policy_id)
    detail = {"policy": policy_id, "before": before}
    await append_audit_entry(work, AuditEntry(actor, "group.policy.assigned", f"group/{group_id}", detail))
    return replace(record, settings=settings, revision=record.revision + 1)


async def get_policy_in_force(reader: Reader, settings: GroupSettings) -> Policy:
    """Get the policy that the messages of a group with these settings are judged by from now on."""
    return build_policy(await list_active_versions_for(reader, settings), settings)


async def get_group_context(reader: Reader, group_id: str) -> GroupContext:
    """Get a group and its policy: the defaults where nobody has told of it."""
    group = await get_group(reader, group_id)
    return GroupContext(group, await get_policy_in_force(reader, group.settings))


async def list_group_contexts(reader: Reader, groups: Sequence[GroupRecord]) -> list[GroupContext]:
    """Return the contexts of these groups, in their order."""
    policies = await list_policies_in_force(reader, {group.id: group.settings for group in groups})
    return [GroupContext(group, policies[group.id]) for group in groups]


async def list_policies_in_force(reader: Reader, groups: Mapping[str, GroupSettings]) -> dict[str, Policy]:
    """Return the policy of each of these groups, by id; one that several are under is read once."""
    read: dict[tuple[str | None, str | None, GroupKind], Policy] = {}
    found = {}
    for group_id, settings in groups.items():
        own = group_id if settings.own is not None else None
        key = settings.policy_id, own, settings.kind
        if key not in read:
            read[key] = await get_policy_in_force(reader, settings)
        found[group_id] = read[key]
    return found


async def get_group_policy(reader: Reader, group_id: str) -> GroupPolicy:
    """Get a group's context, and what its policy is made of."""
    group = await get_group(reader, group_id)
    versions = await list_active_versions_for(reader, group.settings)
    context = GroupContext(group, build_policy(versions, group.settings))
    return GroupPolicy(context, list_layers(versions, group.settings))


async def find_superior(work: Work, action: Action) -> str | None:
    """Find who is told that nobody carries out an action in a group; None where its policy names nobody."""
    return (await get_group_context(work, action.record_key)).rules.review.escalate_to
