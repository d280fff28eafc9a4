"""Policies in versions, and the stamp that tells every process of what came into force."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.versions.store import VersionStore
from huiqun.work import Work
from moderation.policies.model import PolicyVersion

POLICY_VERSIONS: Final = VersionStore("policies", "policy_versions", "policy_id", "changes", ("backtest",))
STAMPS: Final = "stamps"
POLICY_INDEXES: Final[Mapping[str, Sequence[Index]]] = {**POLICY_VERSIONS.indexes, STAMPS: ()}


async def get_policies_revision(reader: Reader) -> int:
    """Read a number that rises whenever a policy is activated, own rules of a group or exceptions change."""
    stamp = await reader.collection(STAMPS).find_one({"_id": "policies"})
    return int(stamp["revision"]) if stamp else 0


async def raise_policies_revision(work: Work) -> None:
    """Let every process know. Of two who change at once what depends on one another, one is made to look again."""
    await work.collection(STAMPS).update_one({"_id": "policies"}, {"$inc": {"revision": 1}}, upsert=True)


async def list_active_versions(reader: Reader, only: Collection[str] | None = None) -> dict[str, PolicyVersion]:
    """Read what the versions in force say, by the policy's id; of all policies, or of these."""
    found = await POLICY_VERSIONS.list_in_force(reader, only)
    return {each.document_id: PolicyVersion.from_version(each) for each in found}


async def save_backtest_summary(work: Work, policy_id: str, number: int, summary: Mapping[str, Any]) -> None:
    """Keep with a version how its latest backtest ended."""
    change = {"$set": {"backtest": summary}}
    await work.collection(POLICY_VERSIONS.versions).update_one({"_id": f"{policy_id}@{number}"}, change)
