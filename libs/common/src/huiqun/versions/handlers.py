"""The life of a version: written, edited, submitted, approved or rejected, put in force; each step is audited."""

from dataclasses import dataclass, replace

from huiqun.audit import AuditEntry, append
from huiqun.versions.model import (
    ActivationCommand,
    Content,
    FourEyesError,
    ReasonRequiredError,
    Version,
    VersionHead,
    VersionNotFoundError,
    VersionState,
    VersionStateError,
)
from huiqun.versions.store import VersionStore
from huiqun.work import Work


@dataclass(frozen=True, slots=True)
class DraftCommand:
    """What a version is to say, why it is written, and by whom."""

    content: Content
    note: str
    author: str


@dataclass(frozen=True, slots=True)
class VersionedDocuments:
    """The documents of one kind; `noun` ("incident-plan") stands in the audit log."""

    store: VersionStore
    noun: str

    async def write_version(self, work: Work, document_id: str, draft: DraftCommand) -> Version:
        """Add a version to a document, or make the document with its first one; it is a draft."""
        head = await self.store.find_head(work, document_id)
        head = head or VersionHead(document_id, 0, None, 0, None)
        version = Version(
            document_id=document_id,
            number=head.latest + 1,
            content=draft.content,
            note=draft.note,
            state=VersionState.DRAFT,
            editors=(draft.author,),
            created_at=work.now,
            edited_at=work.now,
        )
        await self.store.save_version(work, version)
        await self._change_head(work, replace(head, latest=version.number))
        await self._audit(work, draft.author, "version.written", version)
        return version

    async def edit_version(self, work: Work, document_id: str, number: int, draft: DraftCommand) -> Version:
        """Change what a version says, which makes it a draft again; its approval is void.

        Raises VersionNotFoundError, VersionStateError for one that has been in force: what it said then stands.
        """
        version = await self.get_version(work, document_id, number)
        if version.was_in_force:
            raise VersionStateError(f"{version.label} has been in force: write a new version")
        edited = replace(
            version,
            content=draft.content,
            note=draft.note,
            state=VersionState.DRAFT,
            editors=version.editors if draft.author in version.editors else (*version.editors, draft.author),
            edited_at=work.now,
            approved_by=None,
            approved_at=None,
            approved_hash=None,
        )
        await self.store.save_version(work, edited)
        await self._touch(work, document_id)
        await self._audit(work, draft.author, "version.edited", edited, voided=version.is_approved)
        return edited

    async def submit_version(self, work: Work, document_id: str, number: int, actor: str) -> Version:
        """Ask for a draft's approval. Raises VersionNotFoundError, VersionStateError."""
        version = await self.get_version(work, document_id, number)
        if version.state is not VersionState.DRAFT:
            raise VersionStateError(f"{version.label} is {version.state}, not a draft")
        submitted = replace(version, state=VersionState.SUBMITTED)
        await self.store.save_version(work, submitted)
        await self._touch(work, document_id)
        await self._audit(work, actor, "version.submitted", submitted)
        return submitted

    async def approve_version(
        self, work: Work, document_id: str, number: int, actor: str, *, four_eyes: bool = True
    ) -> Version:
        """Approve what a submitted version says now.

        Raises VersionNotFoundError, VersionStateError, FourEyesError for one who wrote in it.
        """
        version = await self.get_version(work, document_id, number)
        if version.state is not VersionState.SUBMITTED:
            raise VersionStateError(f"{version.label} is {version.state}, not submitted")
        return await self._approve(work, version, actor, four_eyes=four_eyes)

    async def reject_version(self, work: Work, document_id: str, number: int, actor: str, reason: str) -> Version:
        """Give a submitted version back to its editors, with the reason.

        Raises VersionNotFoundError, VersionStateError, ReasonRequiredError.
        """
        version = await self.get_version(work, document_id, number)
        if version.state is not VersionState.SUBMITTED:
            raise VersionStateError(f"{version.label} is {version.state}, not submitted")
        if not reason:
            raise ReasonRequiredError(version.label)
        rejected = replace(version, state=VersionState.DRAFT)
        await self.store.save_version(work, rejected)
        await self._touch(work, document_id)
        await self._audit(work, actor, "version.rejected", rejected, reason=reason)
        return rejected

    async def activate_version(self, work: Work, document_id: str, wish: ActivationCommand) -> VersionHead:
        """Put a version in force; one that is in force already stays so.

        Who activates a version that nobody has approved approves it thereby. A version that was in force before has
        been looked at: whoever goes back to it says why. Raises VersionNotFoundError, FourEyesError,
        ReasonRequiredError.
        """
        head = await self.get_head(work, document_id)
        version = await self.get_version(work, document_id, wish.number)
        if head.in_force == wish.number:
            return head
        if head.in_force is not None and wish.number < head.in_force and not wish.reason:
            raise ReasonRequiredError(f"{document_id}@{head.in_force} is in force")
        if not version.is_approved:
            version = await self._approve(work, version, wish.actor, four_eyes=wish.four_eyes)
        await self.store.save_version(work, replace(version, was_in_force=True))
        changed = await self._change_head(work, replace(head, in_force=wish.number))
        await self._audit(work, wish.actor, "activated", version, before=head.in_force, reason=wish.reason)
        return changed

    async def get_head(self, work: Work, document_id: str) -> VersionHead:
        """The document. Raises VersionNotFoundError."""
        head = await self.store.find_head(work, document_id)
        if head is None:
            raise VersionNotFoundError(document_id)
        return head

    async def get_version(self, work: Work, document_id: str, number: int) -> Version:
        """One version. Raises VersionNotFoundError."""
        version = await self.store.find_version(work, document_id, number)
        if version is None:
            raise VersionNotFoundError(f"{document_id}@{number}")
        return version

    async def _approve(self, work: Work, version: Version, actor: str, *, four_eyes: bool) -> Version:
        if four_eyes and actor in version.editors:
            raise FourEyesError(version.label)
        approved = replace(
            version,
            state=VersionState.APPROVED,
            approved_by=actor,
            approved_at=work.now,
            approved_hash=version.content_hash,
        )
        await self.store.save_version(work, approved)
        await self._touch(work, version.document_id)
        await self._audit(work, actor, "version.approved", approved)
        return approved

    async def _touch(self, work: Work, document_id: str) -> None:
        """Let the document's revision rise: of two who change it at once, one is made to look again."""
        await self._change_head(work, await self.get_head(work, document_id))

    async def _change_head(self, work: Work, head: VersionHead) -> VersionHead:
        changed = replace(head, revision=head.revision + 1, updated_at=work.now)
        await self.store.save_head(work, changed)
        return changed

    async def _audit(self, work: Work, actor: str, action: str, version: Version, **detail: object) -> None:
        entry = {"version": version.number, "hash": version.content_hash, **detail}
        action = f"{self.noun.replace('-', '_')}.{action}"
        await append(work, AuditEntry(actor, action, f"{self.noun}/{version.document_id}", entry))
