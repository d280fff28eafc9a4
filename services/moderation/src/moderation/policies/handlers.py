"""Write, activate and assign policies; keep what the channel tells of groups."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from huiqun.audit import AuditEntry, append
from huiqun.contracts.channel import Group, GroupCreated, GroupDismissed, GroupUpdated
from huiqun.contracts.moderation import ActivatedPolicy, PolicyActivated
from huiqun.runtime.ids import new_id
from huiqun.store import Database, Session
from huiqun.stream import Work
from huiqun.timers import Timer
from moderation.policies import store
from moderation.policies.model import (
    BUILT_IN,
    DEFAULT_POLICY,
    UNKNOWN_GROUP,
    GroupSettings,
    Objection,
    Policy,
    Rules,
    objections,
)
from moderation.policies.store import GroupRecord, Head, Version

BUILT_IN_HEAD = Head(DEFAULT_POLICY, latest=0, active=BUILT_IN.version, revision=0, updated_at=None)
_BUILT_IN_VERSION = Version(DEFAULT_POLICY, 0, BUILT_IN.rules, "What comes with Huiqun.", "huiqun", None)
#: Timers that are due as soon as what they name is in force; who plans by policies or groups looks at them again.
POLICIES_CHANGED = "policies.changed"
GROUPS_CHANGED = "groups.changed"
#: Raises if the revision is not the one that the caller has seen.
Check = Callable[[int], None]


class UnknownPolicyError(LookupError):
    """There is no such policy, or it has no such version."""


class InactivePolicyError(ValueError):
    """The policy has no version in force, so no group can be given it."""


class UnfitPolicyError(ValueError):
    """The rules make no sense; `objections` says why."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__(" ".join(objection.reason for objection in objections))
        self.objections = tuple(objections)


async def record_groups(events: Sequence[GroupCreated | GroupUpdated | GroupDismissed], work: Work) -> None:
    """Keep the latest word on each group."""
    latest: dict[str, Group] = {}
    dismissed: list[str] = []
    for event in events:
        if isinstance(event, GroupDismissed):
            dismissed.append(event.data.group_id)
        else:
            latest[event.data.group_id] = event.data
    await store.save_groups(work, list(latest.values()))
    if dismissed:
        await store.dismiss_groups(work, dismissed)
    _announce(work, [*latest, *dismissed])


async def write_version(work: Work, policy_id: str, rules: Rules, note: str, author: str) -> Version:
    """Add a version to a policy, or make the policy with its first one; it is not in force yet.

    Raises UnfitPolicyError.
    """
    if found := objections(rules):
        raise UnfitPolicyError(found)
    head = await store.head(work.db, policy_id, work.session)
    number = head.latest + 1 if head else 1
    version = Version(policy_id, number, rules, note, author, work.now)
    await store.add_version(work, version, head.active if head else None)
    await append(work, AuditEntry(author, "policy.version.written", f"policy/{policy_id}", {"version": number}))
    return version


async def activate_version(work: Work, policy_id: str, number: int, check: Check, actor: str) -> Head:
    """Put a version in force everywhere; one that is in force already stays so. Raises UnknownPolicyError."""
    head = await store.head(work.db, policy_id, work.session)
    if head is None or not 1 <= number <= head.latest:
        raise UnknownPolicyError(f"{policy_id}@{number}")
    check(head.revision)
    if head.active == number:
        return head
    await store.activate(work, policy_id, number)
    data = ActivatedPolicy(policy_id=policy_id, version=number, activated_by=actor)
    work.emit(PolicyActivated.about(policy_id, data, time=work.now))
    detail = {"version": number, "before": head.active}
    await append(work, AuditEntry(actor, "policy.activated", f"policy/{policy_id}", detail))
    work.schedule(Timer(POLICIES_CHANGED, POLICIES_CHANGED, work.now))
    return Head(policy_id, head.latest, number, head.revision + 1, work.now)


async def assign_policy(work: Work, group_id: str, policy_id: str | None, check: Check, actor: str) -> GroupRecord:
    """Give a group a policy that is in force, or the default; raises UnknownPolicyError, InactivePolicyError."""
    record = await find_group(work.db, group_id, work.session)
    check(record.revision)
    if policy_id is not None:
        head = await store.head(work.db, policy_id, work.session)
        if head is None and policy_id != DEFAULT_POLICY:
            raise UnknownPolicyError(policy_id)
        if head is not None and head.active is None and policy_id != DEFAULT_POLICY:
            raise InactivePolicyError(policy_id)
    before = record.settings.policy_id
    if before == policy_id:
        return record
    await store.assign(work, group_id, policy_id)
    detail = {"policy": policy_id, "before": before}
    await append(work, AuditEntry(actor, "group.policy.assigned", f"group/{group_id}", detail))
    _announce(work, [group_id], other_policy=True)
    settings = replace(record.settings, policy_id=policy_id)
    return replace(record, settings=settings, revision=record.revision + 1)


async def find_head(database: Database, policy_id: str) -> Head:
    """The policy; the default is there before anybody has written one. Raises UnknownPolicyError."""
    head = await store.head(database, policy_id)
    if head is None and policy_id != DEFAULT_POLICY:
        raise UnknownPolicyError(policy_id)
    return _with_built_in(head or BUILT_IN_HEAD)


async def list_heads(database: Database, after: str | None, limit: int) -> list[Head]:
    """The policies by id, after the given one, the default among them."""
    found = [_with_built_in(head) for head in await store.heads(database, after, limit)]
    if (after is None or after < DEFAULT_POLICY) and await store.head(database, DEFAULT_POLICY) is None:
        found = sorted([*found, BUILT_IN_HEAD], key=lambda head: head.id)
    return found[:limit]


async def find_version(database: Database, policy_id: str, number: int) -> Version:
    """One version; version 0 of the default is what comes with Huiqun. Raises UnknownPolicyError."""
    if (policy_id, number) == (DEFAULT_POLICY, BUILT_IN.version):
        return _BUILT_IN_VERSION
    version = await store.version(database, policy_id, number)
    if version is None:
        raise UnknownPolicyError(f"{policy_id}@{number}")
    return version


async def list_versions(database: Database, policy_id: str, before: int | None, limit: int) -> list[Version]:
    """The versions, newest first, before the given one. Raises UnknownPolicyError."""
    await find_head(database, policy_id)
    found = await store.versions(database, policy_id, before, limit)
    if policy_id == DEFAULT_POLICY and (before is None or before > BUILT_IN.version):
        found.append(_BUILT_IN_VERSION)
    return found[:limit]


async def find_group(database: Database, group_id: str, session: Session | None = None) -> GroupRecord:
    """What is known of a group; the defaults for one that nobody has told us of."""
    return await store.group(database, group_id, session) or GroupRecord(group_id, UNKNOWN_GROUP)


async def policy_in_force(database: Database, settings: GroupSettings, session: Session | None = None) -> Policy:
    """The policy that the group's messages are judged by from now on."""
    chosen = await store.active_policy(database, settings.policy_id, session) if settings.policy_id else None
    return chosen or await store.active_policy(database, DEFAULT_POLICY, session) or BUILT_IN


def _announce(work: Work, group_ids: Sequence[str], *, other_policy: bool = False) -> None:
    # A key of its own: two such timers are about different groups, and neither may replace the other.
    payload = {"group_ids": list(group_ids), "other_policy": other_policy}
    work.schedule(Timer(f"{GROUPS_CHANGED}/{new_id()}", GROUPS_CHANGED, work.now, payload))


def _with_built_in(head: Head) -> Head:
    """Until a version of the default is activated, the built-in one is in force."""
    return replace(head, active=BUILT_IN.version) if head.id == DEFAULT_POLICY and head.active is None else head
