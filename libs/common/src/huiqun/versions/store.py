"""Versions in MongoDB: for each kind of document a collection of heads and one of versions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huiqun.store import Index, Reader
from huiqun.versions.model import ApprovalRecord, Version, VersionHead, VersionState, content_hash_of, version_label_of
from huiqun.work import Work


@dataclass(frozen=True, slots=True)
class VersionStore:
    """The versions of one kind of document, under the names that they have in the service's database.

    `heads` and `versions` are the collections; `id_field`, `content_field` and `detail_fields` the fields of a version.
    """

    heads: str
    versions: str
    id_field: str
    content_field: str
    detail_fields: tuple[str, ...] = ()

    @property
    def indexes(self) -> Mapping[str, Sequence[Index]]:
        """The collections with their indexes."""
        return {self.heads: (), self.versions: (Index(((self.id_field, 1), ("version", -1)), unique=True),)}

    async def find_head(self, reader: Reader, document_id: str) -> VersionHead | None:
        """The document of this id."""
        document = await reader.collection(self.heads).find_one({"_id": document_id})
        return _head(document) if document else None

    async def list_heads(self, reader: Reader, after: str | None, limit: int) -> list[VersionHead]:
        """The documents by id, after the given one."""
        query = {"_id": {"$gt": after}} if after is not None else {}
        return [_head(each) async for each in reader.collection(self.heads).find(query).sort("_id", 1).limit(limit)]

    async def find_version(self, reader: Reader, document_id: str, number: int) -> Version | None:
        """One version of a document."""
        found = await reader.collection(self.versions).find_one({"_id": version_label_of(document_id, number)})
        return self.version_from(found) if found else None

    async def list_versions(self, reader: Reader, document_id: str, before: int | None, limit: int) -> list[Version]:
        """The versions of a document, newest first, before the given one."""
        query: dict[str, Any] = {self.id_field: document_id}
        if before is not None:
            query["version"] = {"$lt": before}
        cursor = reader.collection(self.versions).find(query).sort("version", -1).limit(limit)
        return [self.version_from(document) async for document in cursor]

    async def list_in_force(self, reader: Reader, only: Collection[str] | None = None) -> list[Version]:
        """The versions in force of all documents, or of these."""
        query: dict[str, Any] = {"active": {"$ne": None}}
        if only is not None:
            query["_id"] = {"$in": list(only)}
        keys = [
            version_label_of(head["_id"], head["active"]) async for head in reader.collection(self.heads).find(query)
        ]
        if not keys:
            return []
        cursor = reader.collection(self.versions).find({"_id": {"$in": keys}})
        return [self.version_from(document) async for document in cursor]

    async def save_version(self, work: Work, version: Version) -> None:
        """Write a version as it is now."""
        document = {
            self.id_field: version.document_id,
            "version": version.number,
            self.content_field: dict(version.content),
            "note": version.note,
            "created_by": version.created_by,
            "created_at": version.created_at,
            "was_in_force": version.was_in_force,
            **approval_fields(version.approval),
            **{name: version.details.get(name) for name in self.detail_fields},
        }
        await work.collection(self.versions).update_one({"_id": version.label}, {"$set": document}, upsert=True)

    async def save_head(self, work: Work, head: VersionHead) -> None:
        """Write what there is of a document."""
        change = {
            "latest": head.latest,
            "active": head.active,
            "revision": head.revision,
            "updated_at": head.updated_at,
        }
        await work.collection(self.heads).update_one({"_id": head.document_id}, {"$set": change}, upsert=True)

    def version_from(self, document: Mapping[str, Any]) -> Version:
        """Read a version; in the form of a release without approvals, too: there whoever approved put it in force."""
        content = document[self.content_field]
        was_activated = document.get("approved_by") is not None and document.get("approved_hash") is None
        return Version(
            document_id=document[self.id_field],
            number=document["version"],
            content=content,
            note=document["note"],
            approval=approval_from(document, content, document["created_by"]),
            created_at=document["created_at"],
            was_in_force=was_activated or document.get("was_in_force", False),
            details={name: document.get(name) for name in self.detail_fields},
        )


def approval_fields(approval: ApprovalRecord) -> dict[str, Any]:
    """The fields of a document that say who wrote and who approved it."""
    return {
        "editors": list(approval.editors),
        "state": approval.state.value,
        "approved_by": approval.approved_by,
        "approved_at": approval.approved_at,
        "approved_hash": approval.approved_hash,
    }


def approval_from(document: Mapping[str, Any], content: Mapping[str, Any], author: str) -> ApprovalRecord:
    """Read those fields; in the form of a release without approvals, what it names as approved is so as it stands."""
    approver, approved_hash = document.get("approved_by"), document.get("approved_hash")
    state = VersionState(document.get("state", VersionState.DRAFT))
    if approver is not None and approved_hash is None:
        state, approved_hash = VersionState.APPROVED, content_hash_of(content)
    editors = tuple(document.get("editors", (author,)))
    return ApprovalRecord(document["_id"], editors, state, approver, document.get("approved_at"), approved_hash)


def _head(document: Mapping[str, Any]) -> VersionHead:
    return VersionHead(
        document["_id"], document["latest"], document.get("active"), document["revision"], document["updated_at"]
    )
