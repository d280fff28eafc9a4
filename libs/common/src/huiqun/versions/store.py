"""Versions in MongoDB: for each kind of document a collection of heads and one of versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huiqun.store import Index, Reader
from huiqun.versions.model import Version, VersionHead, VersionState
from huiqun.work import Work

_VERSION_FIELDS = (
    *("content", "note", "created_at", "edited_at"),
    *("approved_by", "approved_at", "approved_hash", "was_in_force"),
)


@dataclass(frozen=True, slots=True)
class VersionStore:
    """The versions of one kind of document; `kind` ("incident_plans") names the collections."""

    kind: str

    @property
    def versions(self) -> str:
        """The collection of versions."""
        return f"{self.kind}_versions"

    @property
    def indexes(self) -> Mapping[str, Sequence[Index]]:
        """The collections with their indexes."""
        return {self.kind: (), self.versions: (Index((("document_id", 1), ("number", -1)), unique=True),)}

    async def find_head(self, reader: Reader, document_id: str) -> VersionHead | None:
        """The document of this id."""
        document = await reader.collection(self.kind).find_one({"_id": document_id})
        return _head(document) if document else None

    async def list_heads(self, reader: Reader, after: str | None, limit: int) -> list[VersionHead]:
        """The documents by id, after the given one."""
        query = {"_id": {"$gt": after}} if after is not None else {}
        return [_head(each) async for each in reader.collection(self.kind).find(query).sort("_id", 1).limit(limit)]

    async def find_version(self, reader: Reader, document_id: str, number: int) -> Version | None:
        """One version of a document."""
        found = await reader.collection(self.versions).find_one({"_id": f"{document_id}@{number}"})
        return _version(found) if found else None

    async def list_versions(self, reader: Reader, document_id: str, before: int | None, limit: int) -> list[Version]:
        """The versions of a document, newest first, before the given one."""
        query: dict[str, Any] = {"document_id": document_id}
        if before is not None:
            query["number"] = {"$lt": before}
        cursor = reader.collection(self.versions).find(query).sort("number", -1).limit(limit)
        return [_version(document) async for document in cursor]

    async def save_version(self, work: Work, version: Version) -> None:
        """Write a version as it is now."""
        document = {name: getattr(version, name) for name in _VERSION_FIELDS}
        change = {
            **document,
            "content": dict(version.content),
            "document_id": version.document_id,
            "number": version.number,
            "state": version.state.value,
            "editors": list(version.editors),
        }
        await work.collection(self.versions).update_one({"_id": version.label}, {"$set": change}, upsert=True)

    async def save_head(self, work: Work, head: VersionHead) -> None:
        """Write what there is of a document."""
        change = {
            "latest": head.latest,
            "in_force": head.in_force,
            "revision": head.revision,
            "updated_at": head.updated_at,
        }
        await work.collection(self.kind).update_one({"_id": head.document_id}, {"$set": change}, upsert=True)


def _head(document: Mapping[str, Any]) -> VersionHead:
    return VersionHead(
        document["_id"], document["latest"], document["in_force"], document["revision"], document["updated_at"]
    )


def _version(document: Mapping[str, Any]) -> Version:
    return Version(
        document_id=document["document_id"],
        number=document["number"],
        state=VersionState(document["state"]),
        editors=tuple(document["editors"]),
        **{name: document[name] for name in _VERSION_FIELDS},
    )
