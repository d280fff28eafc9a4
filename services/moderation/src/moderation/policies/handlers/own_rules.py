"""A group's own rules over its policy, in versions."""

from dataclasses import dataclass, replace
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
from moderation.policies import store
from moderation.policies.handlers.errors import UnfitPolicyError, UnknownOwnRulesError
from moderation.policies.handlers.groups import (
    GroupPolicy,
    announce_settings,
    find_group,
    policy_of_group,
    written_for,
)
from moderation.policies.handlers.versions import Check
from moderation.policies.model import OwnRules, Rules, changes_of, layers_under, objections_to, policy_under
from moderation.policies.store import GroupRecord

OWN_RULES: Final = VersionedDocuments(store.OWN_RULE_VERSIONS, "group.rules", "group", UnknownOwnRulesError)
_FORMER_NOTE = "In force before own rules had versions."
_FORMER_AUTHOR = "unknown"


@dataclass(frozen=True, slots=True)
class OwnRulesCommand:
    """The wish that a group has these rules of its own over its policy; of `rules`, what was set counts."""

    rules: Rules
    reason: str
    actor: str
    four_eyes: bool = True


async def write_own_rules(work: Work, group_id: str, wish: OwnRulesCommand, check: Check) -> GroupPolicy:
    """Submit a version of a group's own rules, or put it in force where one pair of eyes is enough.

    None at all takes them away; those that are in force make no version. Raises UnfitPolicyError.
    """
    record = await _enter(work, group_id, check)
    known, changes = record.settings.own, changes_of(wish.rules)
    if changes == (known.changes if known else {}):
        return await policy_of_group(work, group_id)
    version = await OWN_RULES.write_version(work, group_id, WriteVersionCommand(changes, wish.reason, wish.actor))
    await _check_fit(work, record, version)
    await OWN_RULES.submit_version(work, group_id, version.number, wish.actor)
    if not wish.four_eyes:
        order = ActivateVersionCommand(version.number, wish.actor, wish.reason, four_eyes=False)
        return await _activate(work, record, order)
    return await policy_of_group(work, group_id)


async def activate_own_rules(work: Work, group_id: str, wish: ActivateVersionCommand, check: Check) -> GroupPolicy:
    """Put a version of a group's own rules in force; one that is in force already stays so.

    Raises what `VersionedDocuments.activate_version` raises, UnfitPolicyError.
    """
    return await _activate(work, await _enter(work, group_id, check), wish)


async def waiting_own_rules(reader: Reader, group_id: str) -> int | None:
    """Number of the newest version of a group's own rules, if it waits for an approval."""
    newest = await store.OWN_RULE_VERSIONS.list_versions(reader, group_id, None, 1)
    return newest[0].number if newest and newest[0].approval.state is VersionState.SUBMITTED else None


async def compare_own_rules(reader: Reader, group_id: str, number: int) -> list[Difference]:
    """What becomes different for a group when a version of its own rules comes into force.

    Raises UnknownOwnRulesError.
    """
    version = await OWN_RULES.get_version(reader, group_id, number)
    record = await find_group(reader, group_id)
    written = await written_for(reader, record.settings)
    old, new = [
        policy_under(written, settings).rules.model_dump(mode="json")
        for settings in (record.settings, replace(record.settings, own=_own(version)))
    ]
    return diff_contents(old, new)


async def adopt_own_rules(work: Work, group_id: str) -> None:
    """Make a version of the own rules that a release without versions of them has put in force."""
    record = await find_group(work, group_id)
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
        await store.set_own_rules(work, OwnRules(group_id, number, changes))


async def _enter(work: Work, group_id: str, check: Check) -> GroupRecord:
    check((await find_group(work, group_id)).own_revision)
    await adopt_own_rules(work, group_id)
    return await find_group(work, group_id)


async def _activate(work: Work, record: GroupRecord, wish: ActivateVersionCommand) -> GroupPolicy:
    version = await OWN_RULES.get_version(work, record.id, wish.number)
    head = await OWN_RULES.activate_version(work, record.id, wish)
    if head.active != record.own_revision:
        await _check_fit(work, record, version)
        await store.set_own_rules(work, OwnRules(record.id, version.number, version.content))
        await store.touch(work)
        announce_settings(work, [record.id], other_policy=True)
    return await policy_of_group(work, record.id)


async def _check_fit(work: Work, record: GroupRecord, version: Version) -> None:
    settings = replace(record.settings, own=_own(version))
    if found := objections_to(layers_under(await written_for(work, settings), settings)):
        raise UnfitPolicyError(found)


def _own(version: Version) -> OwnRules | None:
    return OwnRules(version.document_id, version.number, version.content) if version.content else None
