"""Write a version of a policy, put one in force, compare two; tell every process of what came into force."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from huiqun.contracts.moderation import ActivatedPolicy, PolicyActivated
from huiqun.store import Reader
from huiqun.versions.handlers import VersionedDocuments
from huiqun.versions.model import (
    ActivateVersionCommand,
    Difference,
    Version,
    VersionHead,
    WriteVersionCommand,
    diff_contents,
)
from huiqun.work import Task, Work
from moderation.groups.handlers import list_groups_with_own_rules
from moderation.groups.model import GroupSettings
from moderation.policies import store
from moderation.policies.model import (
    DEFAULT_POLICY,
    ActiveVersions,
    InheritanceConflictError,
    InvalidPolicyError,
    PolicyNotFoundError,
    PolicyVersion,
    build_policy,
    choose_version,
    list_layers,
)
from moderation.policies.sections.layers import dump_changes, validate_layers
from moderation.policies.sections.rules import Rules

#: The policies; the default comes with Huiqun, and says nothing itself.
POLICIES: Final = VersionedDocuments(
    store.POLICY_VERSIONS, "policy", "policy", PolicyNotFoundError, lambda: {DEFAULT_POLICY: {}}
)
#: The task that has all that follows from the policies in force done for every group.
APPLY_POLICIES: Final = "policies.apply"
#: Raises if the revision is not the one that the caller has seen.
RevisionCheck = Callable[[int], None]
_MOST_NAMED = 20


async def write_policy_version(work: Work, policy_id: str, rules: Rules, note: str, author: str) -> Version:
    """Add a version to a policy, or make the policy with its first one; it is not in force yet.

    Only what was set in `rules` is kept; the rest is inherited. Raises InvalidPolicyError.
    """
    version = await POLICIES.write_version(work, policy_id, WriteVersionCommand(dump_changes(rules), note, author))
    _check_policy(_with_version(await store.list_active_versions(work), version), policy_id)
    return version


async def edit_policy_version(
    work: Work, policy_id: str, number: int, draft: WriteVersionCommand, check: RevisionCheck
) -> Version:
    """Change what a version says that was never in force.

    Raises PolicyNotFoundError, VersionStateError, InvalidPolicyError.
    """
    check((await POLICIES.get_head(work, policy_id)).revision)
    version = await POLICIES.edit_version(work, policy_id, number, draft)
    _check_policy(_with_version(await store.list_active_versions(work), version), policy_id)
    return version


async def activate_policy_version(
    work: Work, policy_id: str, command: ActivateVersionCommand, check: RevisionCheck
) -> VersionHead:
    """Put a version in force everywhere; one that is in force already stays so.

    Raises what `VersionedDocuments.activate_version` raises, InvalidPolicyError, InheritanceConflictError.
    """
    before = await POLICIES.get_head(work, policy_id)
    check(before.revision)
    head = await POLICIES.activate_version(work, policy_id, command)
    if head.active == before.active:
        return head
    versions = await store.list_active_versions(work)
    _check_policy(versions, policy_id)
    if conflicts := list(_find_conflicts(versions, policy_id, await list_groups_with_own_rules(work))):
        raise InheritanceConflictError("; ".join(conflicts[:_MOST_NAMED]))
    await raise_policies_revision(work)
    data = ActivatedPolicy(policy_id=policy_id, version=command.number, activated_by=command.actor)
    work.emit(PolicyActivated.create(policy_id, data, time=work.now))
    work.schedule(Task(APPLY_POLICIES, APPLY_POLICIES, work.now))
    return head


async def get_effective_rules(reader: Reader, version: Version) -> Rules:
    """Work out the rules that would hold under a version if it were in force now."""
    return await _get_rules_under(reader, PolicyVersion.from_version(version))


async def compare_policy_versions(
    reader: Reader, policy_id: str, number: int, against: int | None
) -> tuple[int, list[Difference]]:
    """Find what becomes different for the policy's groups when it goes from version `against` to `number`.

    By default from the version in force. Version 0 says nothing: all is inherited, as it is before any is in force.
    Returns the number of the other version, too. Raises PolicyNotFoundError.
    """
    head = await POLICIES.get_head(reader, policy_id)
    other = against if against is not None else head.active or 0
    old, new = [
        await get_effective_rules(reader, await POLICIES.get_version(reader, policy_id, each))
        if each
        else await _get_rules_under(reader, PolicyVersion(policy_id, 0, {}))
        for each in (other, number)
    ]
    return other, diff_contents(old.model_dump(mode="json"), new.model_dump(mode="json"))


async def list_active_versions(reader: Reader) -> ActiveVersions:
    """Read what the versions in force say, of all policies."""
    return await store.list_active_versions(reader)


async def list_active_versions_for(reader: Reader, settings: GroupSettings) -> ActiveVersions:
    """Read what the versions in force say that a group with these settings is under."""
    return await store.list_active_versions(reader, only={DEFAULT_POLICY, settings.policy_id or DEFAULT_POLICY})


async def get_policies_revision(reader: Reader) -> int:
    """Read a number that rises whenever a policy is activated, own rules of a group or exceptions change."""
    return await store.get_policies_revision(reader)


async def raise_policies_revision(work: Work) -> None:
    """Have every process look at the policies in force, own rules and exceptions again."""
    await store.raise_policies_revision(work)


async def save_backtest_summary(work: Work, policy_id: str, number: int, summary: Mapping[str, Any]) -> None:
    """Keep with a version how its latest backtest ended: `id`, `finished_at`, and counts of messages by outcome."""
    await store.save_backtest_summary(work, policy_id, number, summary)


async def _get_rules_under(reader: Reader, version: PolicyVersion) -> Rules:
    versions = {**await store.list_active_versions(reader, only=[DEFAULT_POLICY]), version.policy_id: version}
    return build_policy(versions, GroupSettings(policy_id=version.policy_id)).rules


def _with_version(versions: ActiveVersions, version: Version) -> dict[str, PolicyVersion]:
    return {**versions, version.document_id: PolicyVersion.from_version(version)}


def _check_policy(versions: ActiveVersions, policy_id: str) -> None:
    if found := validate_layers(list_layers(versions, GroupSettings(policy_id=policy_id))):
        raise InvalidPolicyError(found)


def _find_conflicts(versions: ActiveVersions, policy_id: str, groups: Mapping[str, GroupSettings]) -> Iterator[str]:
    """Name the policies and groups whose rules make no sense together with what they inherit from the policy."""
    for other in versions.values():
        if policy_id == DEFAULT_POLICY != other.policy_id:
            found = validate_layers(list_layers(versions, GroupSettings(policy_id=other.policy_id)))
            if found:
                yield f"policy {other.label}: {found[0].reason}"
    for group_id, settings in groups.items():
        if policy_id in (DEFAULT_POLICY, choose_version(versions, settings).policy_id):
            found = validate_layers(list_layers(versions, settings))
            if found:
                yield f"group {group_id}: {found[0].reason}"
