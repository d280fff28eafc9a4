"""The life of a version: written, edited, submitted, approved or rejected, put in force; each step is audited."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.store import Reader
from huiqun.versions.model import (
    ActivateVersionCommand,
    ApprovalRecord,
    ApproveVersionCommand,
    Content,
    ReasonRequiredError,
    Version,
    VersionHead,
    VersionNotFoundError,
    VersionState,
    VersionStateError,
    WriteVersionCommand,
    version_label_of,
)
from huiqun.versions.store import VersionStore
from huiqun.work import Work

SHIPPED_VERSION = 0
_SHIPPED_NOTE = "What comes with Huiqun."
_SHIPPED_BY = "huiqun"


@dataclass(frozen=True, slots=True)
class VersionedDocuments:
    """The documents of one kind; `noun` ("policy") and `subject` ("policy") stand in the audit log.

    `not_found` is what is raised where there is no such document or version. `shipped` gives the contents that come
    with the software, by document: version 0 of each, which needs no approval and is in force until another one is.
    """

    store: VersionStore
    noun: str
    subject: str
    not_found: type[VersionNotFoundError]
    shipped: Callable[[], Mapping[str, Content]] = dict

    async def write_version(self, work: Work, document_id: str, command: WriteVersionCommand) -> Version:
        """Add a version to a document, or make the document with its first one; it is a draft."""
        head = await self.find_head(work, document_id) or VersionHead(document_id)
        number = head.latest + 1
        version = Version(
            document_id=document_id,
            number=number,
            content=command.content,
            note=command.note,
            approval=ApprovalRecord(version_label_of(document_id, number), (command.author,)),
            created_at=work.now,
            details=command.details,
        )
        await self._save(work, version, replace(head, latest=number))
        await self._audit(work, command.author, "version.written", version, **command.details)
        return version

    async def edit_version(self, work: Work, document_id: str, number: int, command: WriteVersionCommand) -> Version:
        """Change what a version says, which makes it a draft again; its approval is void.

        Raises VersionNotFoundError, VersionStateError for one that has been in force: what it said then stands.
        """
        version, head = await self._get(work, document_id, number)
        if version.was_in_force or head.active == number:
            raise VersionStateError(f"{version.label} has been in force: write a new version")
        edited = replace(
            version,
            content=command.content,
            note=command.note,
            approval=version.approval.edit(command.author),
            details={**version.details, **command.details},
        )
        await self._save(work, edited, head)
        voided = version.approval.approved_by
        await self._audit(work, command.author, "version.edited", edited, voided_approval_of=voided)
        return edited

    async def submit_version(self, work: Work, document_id: str, number: int, actor: str) -> Version:
        """Ask for a draft's approval. Raises VersionNotFoundError, VersionStateError."""
        version, head = await self._get(work, document_id, number)
        submitted = replace(version, approval=version.approval.submit())
        await self._save(work, submitted, head)
        await self._audit(work, actor, "version.submitted", submitted)
        return submitted

    async def approve_version(
        self, work: Work, document_id: str, number: int, command: ApproveVersionCommand
    ) -> Version:
        """Approve what a submitted version says.

        Raises VersionNotFoundError, VersionStateError, FourEyesError, ApprovalMismatchError.
        """
        version, head = await self._get(work, document_id, number)
        approved = replace(version, approval=version.approval.approve(command, version.content_hash, work.now))
        await self._save(work, approved, head)
        await self._audit(work, command.actor, "version.approved", approved)
        return approved

    async def reject_version(self, work: Work, document_id: str, number: int, actor: str, reason: str) -> Version:
        """Give a submitted version back to its editors, with the reason.

        Raises VersionNotFoundError, VersionStateError, ReasonRequiredError.
        """
        version, head = await self._get(work, document_id, number)
        if not reason:
            raise ReasonRequiredError(f"why is {version.label} rejected?")
        rejected = replace(version, approval=version.approval.reject())
        await self._save(work, rejected, head)
        await self._audit(work, actor, "version.rejected", rejected, reason=reason)
        return rejected

    async def activate_version(self, work: Work, document_id: str, command: ActivateVersionCommand) -> VersionHead:
        """Put a version in force; one that is in force already stays so.

        Who activates a version that nobody has approved approves it thereby, as it is. Whoever goes back to an older
        version says why. Raises VersionNotFoundError, FourEyesError, ApprovalMismatchError, ReasonRequiredError.
        """
        version, head = await self._get(work, document_id, command.number)
        if head.active == command.number:
            return head
        if head.active is not None and command.number < head.active and not command.reason:
            raise ReasonRequiredError(f"{document_id}@{head.active} is in force")
        changed = await self._put_in_force(work, version, head, command)
        detail = {"before": head.active, "written_by": version.created_by, "reason": command.reason}
        await self._audit(work, command.actor, "activated", version, **detail)
        return changed

    async def find_head(self, reader: Reader, document_id: str) -> VersionHead | None:
        """The document; one that comes with the software is there before anybody has written a version."""
        head = await self.store.find_head(reader, document_id)
        if head is None and document_id not in self.shipped():
            return None
        return self._with_shipped(head or VersionHead(document_id))

    async def get_head(self, reader: Reader, document_id: str) -> VersionHead:
        """The document, as `find_head` gives it. Raises VersionNotFoundError."""
        head = await self.find_head(reader, document_id)
        if head is None:
            raise self.not_found(document_id)
        return head

    async def list_heads(self, reader: Reader, after: str | None, limit: int) -> list[VersionHead]:
        """The documents by id, after the given one; those that come with the software among them."""
        shipped = {each: VersionHead(each) for each in self.shipped() if after is None or each > after}
        written = {head.document_id: head for head in await self.store.list_heads(reader, after, limit)}
        heads = {**shipped, **written}
        return [self._with_shipped(heads[document_id]) for document_id in sorted(heads)[:limit]]

    async def get_version(self, reader: Reader, document_id: str, number: int) -> Version:
        """One version; number 0 is what comes with the software. Raises VersionNotFoundError."""
        version = await self.store.find_version(reader, document_id, number) or self._shipped(document_id, number)
        if version is None:
            raise self.not_found(version_label_of(document_id, number))
        return version

    async def list_versions(self, reader: Reader, document_id: str, before: int | None, limit: int) -> list[Version]:
        """The versions, newest first, before the given one. Raises VersionNotFoundError."""
        await self.get_head(reader, document_id)
        found = await self.store.list_versions(reader, document_id, before, limit)
        shipped = self._shipped(document_id, SHIPPED_VERSION)
        if shipped is not None and (before is None or before > SHIPPED_VERSION):
            found.append(shipped)
        return found[:limit]

    async def _put_in_force(
        self, work: Work, version: Version, head: VersionHead, wish: ActivateVersionCommand
    ) -> VersionHead:
        changed = replace(head, active=version.number)
        if version.number == SHIPPED_VERSION:
            return await self._save_head(work, changed)
        approval = version.approval
        if not approval.covers(version.content_hash):
            submitted = approval if approval.state is VersionState.SUBMITTED else approval.submit()
            given = ApproveVersionCommand(wish.actor, version.content_hash, wish.four_eyes)
            approval = submitted.approve(given, version.content_hash, work.now)
        return await self._save(work, replace(version, approval=approval, was_in_force=True), changed)

    async def _get(self, work: Work, document_id: str, number: int) -> tuple[Version, VersionHead]:
        return await self.get_version(work, document_id, number), await self.get_head(work, document_id)

    async def _save(self, work: Work, version: Version, head: VersionHead) -> VersionHead:
        await self.store.save_version(work, version)
        return await self._save_head(work, head)

    async def _save_head(self, work: Work, head: VersionHead) -> VersionHead:
        """Let the document's revision rise: of two who change it at once, one is made to look again."""
        changed = replace(head, revision=head.revision + 1, updated_at=work.now)
        await self.store.save_head(work, changed)
        return changed

    def _with_shipped(self, head: VersionHead) -> VersionHead:
        is_shipped = head.active is None and head.document_id in self.shipped()
        return replace(head, active=SHIPPED_VERSION) if is_shipped else head

    def _shipped(self, document_id: str, number: int) -> Version | None:
        content = self.shipped().get(document_id)
        if number != SHIPPED_VERSION or content is None:
            return None
        approval = ApprovalRecord(version_label_of(document_id, SHIPPED_VERSION), (_SHIPPED_BY,), VersionState.APPROVED)
        return Version(document_id, SHIPPED_VERSION, content, _SHIPPED_NOTE, approval, None, was_in_force=True)

    async def _audit(self, work: Work, actor: str, action: str, version: Version, **detail: object) -> None:
        entry = {"version": version.number, "hash": version.content_hash, **detail}
        subject = f"{self.subject}/{version.document_id}"
        await append_audit_entry(work, AuditEntry(actor, f"{self.noun}.{action}", subject, entry))
