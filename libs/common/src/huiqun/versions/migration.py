"""Versions of a release without approvals are given their state and the hash of what was approved, page by page."""

from typing import Final

from huiqun.store import UpdateOne
from huiqun.tasks.migrations import Migration
from huiqun.versions.store import VersionStore, approval_fields
from huiqun.work import Work

_PAGE: Final = 200


def approval_migration(name: str, store: VersionStore) -> Migration:
    """Return the migration that does so; the release before may still write and activate such versions meanwhile."""
    unbound = {"approved_by": {"$ne": None}, "approved_hash": None}
    query = {"$or": [{"editors": {"$exists": False}}, unbound]}

    async def bind_page(work: Work) -> int:
        found = await work.collection(store.versions).find(query).limit(_PAGE).to_list(None)
        operations = []
        for document in found:
            version = store.version_from(document)
            change = {"was_in_force": version.was_in_force, **approval_fields(version.approval)}
            operations.append(UpdateOne({"_id": version.label}, {"$set": change}))
        if operations:
            await work.collection(store.versions).bulk_write(operations)
        return len(found)

    return Migration(name, bind_page)
