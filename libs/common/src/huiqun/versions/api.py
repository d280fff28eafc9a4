"""Routes that every kind of versioned document has: submit a version, approve it, reject it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Response
from pydantic import BaseModel, Field

from huiqun.privacy.text import MaskedText
from huiqun.versions.handlers import VersionedDocuments
from huiqun.versions.model import (
    ApprovalMismatchError,
    ApprovalRecord,
    ApproveVersionCommand,
    Difference,
    FourEyesError,
    ReasonRequiredError,
    Version,
    VersionState,
    VersionStateError,
)
from huiqun.web import Principal, Role, Router, WriteOnce, WriteResult, require_role
from huiqun.web.problems import Problems
from huiqun.web.provided import provided
from huiqun.work import Work

#: What answers the errors of versions.
VERSION_PROBLEMS: Final[Problems] = {
    ApprovalMismatchError: (409, "approval-mismatch"),
    FourEyesError: (403, "four-eyes"),
    ReasonRequiredError: (422, "reason-required"),
    VersionStateError: (409, "version-state"),
}
NumberPath = Annotated[int, Path(ge=0, le=1_000_000, description="Number of the version.", examples=[3])]
ActivationReason = Annotated[
    str,
    MaskedText(strip_whitespace=True, max_length=1_000),
    Field(
        description="Reason for the activation; required to go back to an older version.",
        examples=["Version 4 warned too often"],
    ),
]


@dataclass(slots=True)
class FourEyesSetting:
    """Whether a version is approved by somebody else than its editors (HUIQUN_FOUR_EYES)."""

    required: bool


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approves or activates a version, and whether it has to be somebody else than its editors."""

    id: str
    four_eyes: bool


def approver_with(role: Role) -> Any:  # noqa: ANN401 - what FastAPI's Depends returns
    """Ask for the caller, who needs this role, as an Approver under the setting of this process."""

    def approver(
        who: Annotated[Principal, require_role(role)], setting: Annotated[FourEyesSetting, provided(FourEyesSetting)]
    ) -> Approver:
        return Approver(who.id, setting.required)

    return Depends(approver)


@dataclass(frozen=True, slots=True)
class VersionPath:
    """Which version a path names."""

    document_id: str
    number: int


class ApprovalView(BaseModel):
    """How far a version has come, and who approved what it says."""

    state: VersionState = Field(
        description="draft; submitted: it waits for an approval; approved. Who activates another's draft approves it.",
        examples=["approved"],
    )
    content_hash: str = Field(
        description="SHA-256 of what the version says, which an approval is bound to.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    editors: list[str] = Field(
        description="Principal who wrote in the version; none of them may approve it.",
        examples=[["key:5f2a9c01d4e8b7a3"]],
    )
    approved_by: str | None = Field(
        description="Principal who approved the version.", examples=["key:77aa01d4e8b7a35f"]
    )
    approved_at: datetime | None = Field(
        description="Moment the content was approved.", examples=["2026-11-22T09:00:00Z"]
    )


class VersionApprovalView(ApprovalView):
    """A version of a document, and how far it has come."""

    document_id: str = Field(description="The document's id.", examples=["default"])
    version: int = Field(description="Number of the version.", examples=[3])


class DifferenceView(BaseModel):
    """A value in which two versions differ."""

    path: str = Field(description="Where the value stands in the document.", examples=["quota/per_day"])
    old: Any = Field(description="The value in the other version; null where that has none.", examples=[5])
    new: Any = Field(description="The value in this version; null where it has none.", examples=[8])


class ApprovalBody(BaseModel):
    """What is approved."""

    content_hash: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="The version's `content_hash` as you read it; refused (409) if it says something else now.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


class RejectionBody(BaseModel):
    """Why a version is not approved."""

    reason: Annotated[str, MaskedText(strip_whitespace=True, max_length=1_000)] = Field(
        description="Why the version is rejected.", examples=["The quota is too small for launch week"]
    )


@dataclass(frozen=True, slots=True)
class VersionRoutes:
    """The routes of a kind of documents; `name` stands in summaries: "a policy".

    `path` is the version's below the router's prefix, `place_of` the dependency that reads it.
    """

    documents: VersionedDocuments
    name: str
    path: str
    place_of: Callable[..., VersionPath]
    role: Role

    def add_to(self, router: Router) -> None:
        """Offer the routes to whoever has the role."""
        self._add_submission(router)
        self._add_approval(router)
        self._add_rejection(router)

    def _add_submission(self, router: Router) -> None:
        documents = self.documents

        @router.post(
            f"{self.path}/submission",
            summary=f"Submit a version of {self.name} for approval",
            response_model=VersionApprovalView,
        )
        async def submit_version(
            place: Annotated[VersionPath, Depends(self.place_of)],
            write: WriteOnce,
            who: Annotated[Principal, require_role(self.role)],
        ) -> Response:
            """A draft waits for somebody else's approval from then on."""

            async def use_case(work: Work) -> WriteResult:
                return WriteResult(_view(await documents.submit_version(work, place.document_id, place.number, who.id)))

            return await write(use_case)

    def _add_approval(self, router: Router) -> None:
        documents = self.documents

        @router.post(
            f"{self.path}/approval",
            summary=f"Approve a submitted version of {self.name}",
            response_model=VersionApprovalView,
        )
        async def approve_version(
            place: Annotated[VersionPath, Depends(self.place_of)],
            approval: ApprovalBody,
            write: WriteOnce,
            who: Annotated[Approver, approver_with(self.role)],
        ) -> Response:
            """Nobody who wrote in it does that. The approval holds for this content; an edit voids it."""
            wish = ApproveVersionCommand(who.id, approval.content_hash, who.four_eyes)

            async def use_case(work: Work) -> WriteResult:
                return WriteResult(_view(await documents.approve_version(work, place.document_id, place.number, wish)))

            return await write(use_case)

    def _add_rejection(self, router: Router) -> None:
        documents = self.documents

        @router.post(
            f"{self.path}/rejection",
            summary=f"Reject a submitted version of {self.name}",
            response_model=VersionApprovalView,
        )
        async def reject_version(
            place: Annotated[VersionPath, Depends(self.place_of)],
            rejection: RejectionBody,
            write: WriteOnce,
            who: Annotated[Principal, require_role(self.role)],
        ) -> Response:
            """It is a draft again; the reason stands in the audit log."""

            async def use_case(work: Work) -> WriteResult:
                rejected = await documents.reject_version(
                    work, place.document_id, place.number, who.id, rejection.reason
                )
                return WriteResult(_view(rejected))

            return await write(use_case)


def list_difference_views(differences: Sequence[Difference]) -> list[DifferenceView]:
    """Show the values that differ, each under the path where it stands in the document."""
    return [DifferenceView(path="/".join(each.path), old=each.old, new=each.new) for each in differences]


def approval_view(approval: ApprovalRecord, content_hash: str) -> ApprovalView:
    """How far a content of this hash has come, for a view of the service's."""
    return ApprovalView(
        state=approval.state,
        content_hash=content_hash,
        editors=list(approval.editors),
        approved_by=approval.approved_by,
        approved_at=approval.approved_at,
    )


def _view(version: Version) -> VersionApprovalView:
    approval = approval_view(version.approval, version.content_hash).model_dump()
    return VersionApprovalView(document_id=version.document_id, version=version.number, **approval)
