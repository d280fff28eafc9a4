"""A group's own rules over its policy, in versions."""

from dataclasses import replace
from typing import Final

from huiqun.store import Reader
from huiqun.versions.handlers import VersionedDocuments
from huiqun.versions.model import (
    ActivateVersionCommand,
    ApprovalRecord,
    Difference,
    Version,
    VersionHead,
    VersionState,
    WriteVersionCommand,
    diff_contents,
    version_label_of,
)
from huiqun.work import Work
from moderation.group_policies.handlers import get_group_policy
from moderation.group_policies.model import GroupPolicy
from moderation.groups.handlers import announce_settings, get_group, list_groups_ahead_of, set_own_rules
from moderation.groups.model import GroupRecord, OwnRules
from moderation.own_rules import store
from moderation.own_rules.model import OwnRulesCommand, OwnRulesNotFoundError
from moderation.policies.handlers import RevisionCheck, list_active_versions_for, raise_policies_revision
from moderation.policies.model import InvalidPolicyError, build_policy, list_layers
from moderation.policies.sections.layers import dump_changes, validate_layers

OWN_RULES: Final = VersionedDocuments(store.OWN_RULE_VERSIONS, "group.rules", "group", OwnRulesNotFoundError)
_FORMER_NOTE = "In force before own rules had versions."
_FORMER_AUTHOR = "unknown"


async def write_own_rules(work: Work, group_id: str, command: OwnRulesCommand, check: RevisionCheck) -> GroupPolicy:
    """Submit a version of a group's own rules, or put it in force where one pair of eyes is enough.

    None at all takes them away; those that are in force make no version. Raises InvalidPolicyError.
    """
    record = await _enter(work, group_id, check)
    known, changes = record.settings.own, dump_changes(command.rules)
    if changes == (known.changes if known else {}):
        return await get_group_policy(work, group_id)
    version = await OWN_RULES.write_version(work, group_id, WriteVersionCommand(changes, command.reason, command.actor))
    await _check_fit(work, record, version)
    await OWN_RULES.submit_version(work, group_id, version.number, command.actor)
    if not command.four_eyes:
        activation = ActivateVersionCommand(version.number, command.actor, command.reason, four_eyes=False)
        return await _activate(work, record, activation)
    return await get_group_policy(work, group_id)


async def activate_own_rules(
    work: Work, group_id: str, command: ActivateVersionCommand, check: RevisionCheck
) -> GroupPolicy:
    """Put a version of a group's own rules in force; one that is in force already stays so.

    Raises what `VersionedDocuments.activate_version` raises, InvalidPolicyError.
    """
    return await _activate(work, await _enter(work, group_id, check), command)


async def find_waiting_version(reader: Reader, group_id: str) -> int | None:
    """Find the number of the newest version of a group's own rules, if it waits for an approval."""
    newest = await store.OWN_RULE_VERSIONS.list_versions(reader, group_id, None, 1)
    return newest[0].number if newest and newest[0].approval.state is VersionState.SUBMITTED else None


async def compare_own_rules(reader: Reader, group_id: str, number: int) -> list[Difference]:
    """Find what becomes different for a group when a version of its own rules comes into force.

    Raises OwnRulesNotFoundError.
    """
    version = await OWN_RULES.get_version(reader, group_id, number)
    record = await get_group(reader, group_id)
    versions = await list_active_versions_for(reader, record.settings)
    old, new = [
        build_policy(versions, settings).rules.model_dump(mode="json")
        for settings in (record.settings, replace(record.settings, own=_own_rules_of(version)))
    ]
    return diff_contents(old, new)


async def adopt_own_rules(work: Work, group_id: str) -> None:
    """Make a version of the own rules that a release without versions of them has put in force."""
    record = await get_group(work, group_id)
    head = await OWN_RULES.find_head(work, group_id) or VersionHead(group_id)
    if record.own_revision == (head.active or 0):
        return
    own = record.settings.own
    number = max(record.own_revision, head.latest + 1)
    approval = ApprovalRecord(version_label_of(group_id, number), (_FORMER_AUTHOR,))
    changes = own.changes if own else {}
    version = Version(group_id, number, changes, _FORMER_NOTE, approval, work.now, was_in_force=True)
    await store.OWN_RULE_VERSIONS.save_version(work, version)
    adopted = VersionHead(group_id, number, number, head.revision + 1, work.now)
    await store.OWN_RULE_VERSIONS.save_head(work, adopted)
    if number != record.own_revision:
        await set_own_rules(work, OwnRules(group_id, number, changes))


async def list_groups_without_versions(work: Work, limit: int) -> list[str]:
    """List groups whose own rules were put in force by a release that kept no versions of them."""
    return await list_groups_ahead_of(work, store.OWN_RULE_VERSIONS.heads, limit)


async def _enter(work: Work, group_id: str, check: RevisionCheck) -> GroupRecord:
    check((await get_group(work, group_id)).own_revision)
    await adopt_own_rules(work, group_id)
    return await get_group(work, group_id)


async def _activate(work: Work, record: GroupRecord, command: ActivateVersionCommand) -> GroupPolicy:
    version = await OWN_RULES.get_version(work, record.id, command.number)
    head = await OWN_RULES.activate_version(work, record.id, command)
    if head.active != record.own_revision:
        await _check_fit(work, record, version)
        await set_own_rules(work, OwnRules(record.id, version.number, version.content))
        await raise_policies_revision(work)
        announce_settings(work, [record.id], other_policy=True)
    return await get_group_policy(work, record.id)


async def _check_fit(work: Work, record: GroupRecord, version: Version) -> None:
    settings = replace(record.settings, own=_own_rules_of(version))
    if found := validate_layers(list_layers(await list_active_versions_for(work, settings), settings)):
        raise InvalidPolicyError(found)


def _own_rules_of(version: Version) -> OwnRules | None:
    return OwnRules(version.document_id, version.number, version.content) if version.content else None
