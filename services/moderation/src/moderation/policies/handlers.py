"""Write, activate and assign policies; keep what the channel tells of groups."""

from collections.abc import Sequence

from huiqun.contracts.channel import Group, GroupCreated, GroupDismissed, GroupUpdated
from huiqun.contracts.moderation import ActivatedPolicy, PolicyActivated
from huiqun.stream import Work
from moderation.policies import store
from moderation.policies.model import Rules
from moderation.policies.store import Head, Version


class UnknownPolicyError(LookupError):
    """There is no such policy, or it has no such version."""


class StalePolicyError(RuntimeError):
    """Somebody else has changed the policy meanwhile: read it again."""


class InactivePolicyError(ValueError):
    """The policy has no active version, so no group can be given it."""


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


async def write_version(work: Work, policy_id: str, rules: Rules, note: str, author: str) -> Version:
    """Add a version to a policy, or make the policy with its first one; it is not in force yet."""
    head = await store.head(work, policy_id)
    number = head.latest + 1 if head else 1
    version = Version(policy_id, number, rules, note, author, work.now)
    await store.add_version(work, version, head.active if head else None)
    return version


async def activate_version(work: Work, policy_id: str, number: int, revision: int, actor: str) -> Head:
    """Put a version in force everywhere; `revision` is the one the caller has seen.

    Raises UnknownPolicyError, StalePolicyError.
    """
    head = await store.head(work, policy_id)
    if head is None or not 1 <= number <= head.latest:
        raise UnknownPolicyError(f"{policy_id}@{number}")
    if head.revision != revision:
        raise StalePolicyError(policy_id)
    await store.activate(work, policy_id, number)
    data = ActivatedPolicy(policy_id=policy_id, version=number, activated_by=actor)
    work.emit(PolicyActivated.about(policy_id, data, time=work.now))
    return Head(policy_id, head.latest, number, head.revision + 1, work.now)


async def assign_policy(work: Work, group_id: str, policy_id: str | None) -> None:
    """Give a group a policy that is active, or the default; raises UnknownPolicyError, InactivePolicyError."""
    if policy_id is not None:
        head = await store.head(work, policy_id)
        if head is None:
            raise UnknownPolicyError(policy_id)
        if head.active is None:
            raise InactivePolicyError(policy_id)
    await store.assign(work, group_id, policy_id)
