"""Write a version of a policy, put one in force, read them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from huiqun.audit import AuditEntry, append
from huiqun.contracts.moderation import ActivatedPolicy, PolicyActivated
from huiqun.store import Reader
from huiqun.work import Task, Work
from moderation.policies import store
from moderation.policies.handlers.errors import (
    FourEyesError,
    MissingReasonError,
    UnfitHeirsError,
    UnfitPolicyError,
    UnknownPolicyError,
)
from moderation.policies.model import (
    BUILT_IN,
    DEFAULT_POLICY,
    Difference,
    GroupSettings,
    InForce,
    Rules,
    Written,
    changes_of,
    chosen_by,
    differences,
    layers_under,
    objections_to,
    policy_under,
)
from moderation.policies.store import Head, Version

BUILT_IN_HEAD = Head(DEFAULT_POLICY, latest=0, active=BUILT_IN.version, revision=0, updated_at=None)
_BUILT_IN_VERSION = Version(DEFAULT_POLICY, 0, {}, "What comes with Huiqun.", "huiqun", None)
_MOST_NAMED = 20
#: The task that has all that follows from the policies in force done for every group.
APPLY_POLICIES = "policies.apply"
#: Raises if the revision is not the one that the caller has seen.
Check = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Activation:
    """The wish to have a version in force. With `four_eyes`, somebody else than its author has to wish it."""

    version: int
    actor: str
    reason: str = ""
    four_eyes: bool = True


async def write_version(work: Work, policy_id: str, rules: Rules, note: str, author: str) -> Version:
    """Add a version to a policy, or make the policy with its first one; it is not in force yet.

    Only what was set in `rules` is kept; the rest is inherited. Raises UnfitPolicyError.
    """
    head = await store.head(work, policy_id)
    number = head.latest + 1 if head else 1
    version = Version(policy_id, number, changes_of(rules), note, author, work.now)
    _check_fit(_with(await store.in_force(work), version.written), policy_id)
    await store.add_version(work, version, head.active if head else None)
    await append(work, AuditEntry(author, "policy.version.written", f"policy/{policy_id}", {"version": number}))
    return version


async def activate_version(work: Work, policy_id: str, wish: Activation, check: Check) -> Head:
    """Put a version in force everywhere; one that is in force already stays so.

    A version that was in force before has been looked at: its author may go back to it, too, and says why. Raises
    UnknownPolicyError, FourEyesError, MissingReasonError, UnfitPolicyError, UnfitHeirsError.
    """
    head = await store.head(work, policy_id)
    version = await store.version(work, policy_id, wish.version)
    if head is None or version is None:
        raise UnknownPolicyError(f"{policy_id}@{wish.version}")
    check(head.revision)
    if head.active == wish.version:
        return head
    if wish.four_eyes and version.approved_by is None and version.created_by == wish.actor:
        raise FourEyesError(version.written.label)
    if head.active is not None and wish.version < head.active and not wish.reason:
        raise MissingReasonError(f"{policy_id}@{head.active} is in force")
    written = _with(await store.in_force(work), version.written)
    _check_fit(written, policy_id)
    if heirs := list(_unfit_heirs(written, policy_id, await store.groups_with_own_rules(work))):
        raise UnfitHeirsError("; ".join(heirs[:_MOST_NAMED]))
    await store.activate(work, policy_id, wish.version, wish.actor)
    data = ActivatedPolicy(policy_id=policy_id, version=wish.version, activated_by=wish.actor)
    work.emit(PolicyActivated.about(policy_id, data, time=work.now))
    detail = {"version": wish.version, "before": head.active, "written_by": version.created_by, "reason": wish.reason}
    await append(work, AuditEntry(wish.actor, "policy.activated", f"policy/{policy_id}", detail))
    work.schedule(Task(APPLY_POLICIES, APPLY_POLICIES, work.now))
    return Head(policy_id, head.latest, wish.version, head.revision + 1, work.now)


async def find_head(reader: Reader, policy_id: str) -> Head:
    """The policy; the default is there before anybody has written one. Raises UnknownPolicyError."""
    head = await store.head(reader, policy_id)
    if head is None and policy_id != DEFAULT_POLICY:
        raise UnknownPolicyError(policy_id)
    return _with_built_in(head or BUILT_IN_HEAD)


async def list_heads(reader: Reader, after: str | None, limit: int) -> list[Head]:
    """The policies by id, after the given one, the default among them."""
    found = [_with_built_in(head) for head in await store.heads(reader, after, limit)]
    if (after is None or after < DEFAULT_POLICY) and await store.head(reader, DEFAULT_POLICY) is None:
        found = sorted([*found, BUILT_IN_HEAD], key=lambda head: head.id)
    return found[:limit]


async def find_version(reader: Reader, policy_id: str, number: int) -> Version:
    """One version; version 0 of the default is what comes with Huiqun. Raises UnknownPolicyError."""
    if (policy_id, number) == (DEFAULT_POLICY, BUILT_IN.version):
        return _BUILT_IN_VERSION
    version = await store.version(reader, policy_id, number)
    if version is None:
        raise UnknownPolicyError(f"{policy_id}@{number}")
    return version


async def list_versions(reader: Reader, policy_id: str, before: int | None, limit: int) -> list[Version]:
    """The versions, newest first, before the given one. Raises UnknownPolicyError."""
    await find_head(reader, policy_id)
    found = await store.versions.versions(reader, policy_id, before, limit)
    if policy_id == DEFAULT_POLICY and (before is None or before > BUILT_IN.version):
        found.append(_BUILT_IN_VERSION)
    return found[:limit]


async def rules_of(reader: Reader, version: Version) -> Rules:
    """The rules that would hold under a version if it were in force now."""
    written = _with(await store.in_force(reader, only=[DEFAULT_POLICY]), version.written)
    return policy_under(written, GroupSettings(policy_id=version.policy_id)).rules


async def compare_versions(
    reader: Reader, policy_id: str, number: int, against: int | None
) -> tuple[int, list[Difference]]:
    """What becomes different for the policy's groups when it goes from version `against` to `number`.

    By default from the version in force. Version 0 says nothing: all is inherited, as it is before any is in force.
    Returns the number of the other version, too. Raises UnknownPolicyError.
    """
    head = await find_head(reader, policy_id)
    other = against if against is not None else head.active or 0
    old, new = [
        await rules_of(reader, await find_version(reader, policy_id, each) if each else _saying_nothing(policy_id))
        for each in (other, number)
    ]
    return other, differences(old, new)


def _saying_nothing(policy_id: str) -> Version:
    return replace(_BUILT_IN_VERSION, policy_id=policy_id)


def _with(written: InForce, version: Written) -> dict[str, Written]:
    return {**written, version.policy_id: version}


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


def _with_built_in(head: Head) -> Head:
    """Until a version of the default is activated, the built-in one is in force."""
    return replace(head, active=BUILT_IN.version) if head.id == DEFAULT_POLICY and head.active is None else head
