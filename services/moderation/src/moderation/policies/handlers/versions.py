"""Write a version of a policy, put one in force, compare two."""

from collections.abc import Callable, Iterator
from typing import Final

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
from moderation.policies import store
from moderation.policies.handlers.errors import UnfitHeirsError, UnfitPolicyError, UnknownPolicyError
from moderation.policies.model import (
    DEFAULT_POLICY,
    GroupSettings,
    InForce,
    Rules,
    Written,
    changes_of,
    chosen_by,
    layers_under,
    objections_to,
    policy_under,
)

#: The policies; the default comes with Huiqun, and says nothing itself.
POLICIES: Final = VersionedDocuments(
    store.POLICY_VERSIONS, "policy", "policy", UnknownPolicyError, lambda: {DEFAULT_POLICY: {}}
)
_MOST_NAMED = 20
#: The task that has all that follows from the policies in force done for every group.
APPLY_POLICIES = "policies.apply"
#: Raises if the revision is not the one that the caller has seen.
Check = Callable[[int], None]


async def write_version(work: Work, policy_id: str, rules: Rules, note: str, author: str) -> Version:
    """Add a version to a policy, or make the policy with its first one; it is not in force yet.

    Only what was set in `rules` is kept; the rest is inherited. Raises UnfitPolicyError.
    """
    version = await POLICIES.write_version(work, policy_id, WriteVersionCommand(changes_of(rules), note, author))
    _check_fit(_with(await store.in_force(work), version), policy_id)
    return version


async def edit_version(work: Work, policy_id: str, number: int, draft: WriteVersionCommand, check: Check) -> Version:
    """Change what a version says that was never in force.

    Raises UnknownPolicyError, VersionStateError, UnfitPolicyError.
    """
    check((await POLICIES.get_head(work, policy_id)).revision)
    version = await POLICIES.edit_version(work, policy_id, number, draft)
    _check_fit(_with(await store.in_force(work), version), policy_id)
    return version


async def activate_version(work: Work, policy_id: str, wish: ActivateVersionCommand, check: Check) -> VersionHead:
    """Put a version in force everywhere; one that is in force already stays so.

    Raises what `VersionedDocuments.activate_version` raises, UnfitPolicyError, UnfitHeirsError.
    """
    before = await POLICIES.get_head(work, policy_id)
    check(before.revision)
    head = await POLICIES.activate_version(work, policy_id, wish)
    if head.active == before.active:
        return head
    written = await store.in_force(work)
    _check_fit(written, policy_id)
    if heirs := list(_unfit_heirs(written, policy_id, await store.groups_with_own_rules(work))):
        raise UnfitHeirsError("; ".join(heirs[:_MOST_NAMED]))
    await store.touch(work)
    data = ActivatedPolicy(policy_id=policy_id, version=wish.number, activated_by=wish.actor)
    work.emit(PolicyActivated.create(policy_id, data, time=work.now))
    work.schedule(Task(APPLY_POLICIES, APPLY_POLICIES, work.now))
    return head


async def rules_of(reader: Reader, version: Version) -> Rules:
    """The rules that would hold under a version if it were in force now."""
    return await _rules_under(reader, Written.in_version(version))


async def compare_versions(
    reader: Reader, policy_id: str, number: int, against: int | None
) -> tuple[int, list[Difference]]:
    """What becomes different for the policy's groups when it goes from version `against` to `number`.

    By default from the version in force. Version 0 says nothing: all is inherited, as it is before any is in force.
    Returns the number of the other version, too. Raises UnknownPolicyError.
    """
    head = await POLICIES.get_head(reader, policy_id)
    other = against if against is not None else head.active or 0
    old, new = [
        await rules_of(reader, await POLICIES.get_version(reader, policy_id, each))
        if each
        else await _rules_under(reader, Written(policy_id, 0, {}))
        for each in (other, number)
    ]
    return other, diff_contents(old.model_dump(mode="json"), new.model_dump(mode="json"))


async def _rules_under(reader: Reader, version: Written) -> Rules:
    written = {**await store.in_force(reader, only=[DEFAULT_POLICY]), version.policy_id: version}
    return policy_under(written, GroupSettings(policy_id=version.policy_id)).rules


def _with(written: InForce, version: Version) -> dict[str, Written]:
    return {**written, version.document_id: Written.in_version(version)}


def _check_fit(written: InForce, policy_id: str) -> None:
    if found := objections_to(layers_under(written, GroupSettings(policy_id=policy_id))):
        raise UnfitPolicyError(found)


def _unfit_heirs(written: InForce, policy_id: str, groups: dict[str, GroupSettings]) -> Iterator[str]:
    for other in written.values():
        if policy_id == DEFAULT_POLICY != other.policy_id:
            found = objections_to(layers_under(written, GroupSettings(policy_id=other.policy_id)))
            if found:
                yield f"policy {other.label}: {found[0].reason}"
    for group_id, settings in groups.items():
        if policy_id in (DEFAULT_POLICY, chosen_by(written, settings).policy_id):
            found = objections_to(layers_under(written, settings))
            if found:
                yield f"group {group_id}: {found[0].reason}"
