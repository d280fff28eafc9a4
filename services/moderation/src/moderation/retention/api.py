"""Legal holds over HTTP: place, list, lift."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.text import MaskedText
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.retention import store
from moderation.retention.handlers import (
    LiftedHoldError,
    LiftHoldCommand,
    PlaceHoldCommand,
    count_unsettled_groups,
    get_hold,
    lift_hold,
    place_hold,
)
from moderation.retention.model import LegalHold

router = Router(
    "/api/v1/holds",
    tag="retention",
    role="auditor",
    problems={LiftedHoldError: (409, "hold-lifted")},
)

Auditor = Annotated[Principal, require_role("auditor")]
HoldPath = Annotated[Id, Path(description="The legal hold's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])]
OnlyOpen = Annotated[bool, Query(description="Leave out the holds that were lifted.", examples=[True])]
Grounds = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=1_000)]
Ids = Annotated[list[Id], Field(max_length=200)]


class HoldDraft(BaseModel):
    """What is to be held."""

    groups: Ids = Field(
        default=[],
        description="Hold the messages of these groups; of all groups if none is named.",
        examples=[["group-1"]],
    )
    members: Ids = Field(
        default=[],
        description="Hold the messages of these members; of all members if none is named.",
        examples=[["member-1"]],
    )
    since: Instant | None = Field(
        default=None,
        alias="from",
        description="Hold messages sent then or later.",
        examples=["2026-11-01T00:00:00+08:00"],
    )
    until: Instant | None = Field(
        default=None,
        alias="to",
        description="Hold messages sent before then; without it, also what will be sent.",
        examples=["2026-12-01T00:00:00+08:00"],
    )
    reason: Grounds = Field(
        description="Why the hold is placed, with a reference.", examples=["诉讼保全 (2026)沪01民初123号"]
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.groups and not self.members:
            raise ValueError("name groups, members or both")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("to is later than from")
        return self


class HoldLiftDraft(BaseModel):
    """Why a legal hold is lifted."""

    reason: Grounds = Field(description="Why the hold is lifted, with a reference.", examples=["案件已结"])


class LegalHoldView(BaseModel):
    """A legal hold: while it is open, nothing that it covers expires."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(description="The legal hold's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    groups: list[str] = Field(
        description="The groups whose messages are held; all groups if empty.", examples=[["group-1"]]
    )
    members: list[str] = Field(
        description="The members whose messages are held; all members if empty.", examples=[["member-1"]]
    )
    since: datetime | None = Field(
        alias="from",
        description="Messages sent then or later are held; null sets no limit.",
        examples=["2026-11-01T00:00:00Z"],
    )
    until: datetime | None = Field(
        alias="to",
        description="Messages sent before then are held; null sets no limit.",
        examples=["2026-12-01T00:00:00Z"],
    )
    reason: str = Field(description="Why the hold was placed.", examples=["诉讼保全 (2026)沪01民初123号"])
    placed_by: str = Field(description="Principal who placed the hold.", examples=["key:5f2a9c01d4e8b7a3"])
    placed_at: datetime = Field(description="Moment the hold was placed.", examples=["2026-11-22T08:00:00Z"])
    lifted_by: str | None = Field(
        description="Principal who lifted the hold; null while it is open.", examples=["key:5f2a9c01d4e8b7a3"]
    )
    lifted_at: datetime | None = Field(
        description="Moment the hold was lifted; null while it is open.", examples=["2027-02-01T08:00:00Z"]
    )
    lift_reason: str | None = Field(
        description="Why the hold was lifted; null while it is open.", examples=["案件已结"]
    )


class LegalHoldProgressView(LegalHoldView):
    """A legal hold, and whether it has come through."""

    unsettled: int = Field(
        description="In how many groups archived messages are still looked through; at 0 all that the hold covers is "
        "held, or let go. It takes a minute at least.",
        examples=[0],
    )


@router.get("", summary="List the legal holds")
async def list_legal_holds(db: ReadDatabase, paging: Paging, only_open: OnlyOpen = False) -> Page[LegalHoldView]:  # noqa: FBT002 - a query has no keywords
    """Newest first."""
    found = await store.list_holds(db, paging.last(str), paging.limit + 1, only_open=only_open)
    return paging.page(found, lambda hold: (hold.id,), _view)


@router.post("", summary="Place a legal hold", status_code=201, response_model=LegalHoldView)
async def place_legal_hold(draft: HoldDraft, write: WriteOnce, who: Auditor) -> Response:
    """New messages are held within a second, archived ones in the minutes that follow, oldest first."""
    command = PlaceHoldCommand(tuple(draft.groups), tuple(draft.members), draft.since, draft.until, draft.reason)

    async def use_case(work: Work) -> WriteResult:
        hold = await place_hold(work, command, who.id)
        return WriteResult(_view(hold), location=f"/api/v1/holds/{hold.id}")

    return await write(use_case)


@router.get("/{hold_id}", summary="Read a legal hold, and whether it has come through")
async def read_legal_hold(db: ReadDatabase, hold_id: HoldPath) -> LegalHoldProgressView:
    """Lifted ones as well."""
    hold = await get_hold(db, hold_id)
    return LegalHoldProgressView(**_view(hold).model_dump(), unsettled=await count_unsettled_groups(db, hold_id))


@router.post("/{hold_id}/lift", summary="Lift a legal hold", response_model=LegalHoldView)
async def lift_legal_hold(hold_id: HoldPath, draft: HoldLiftDraft, write: WriteOnce, who: Auditor) -> Response:
    """What no other hold covers expires as the policy of its group says: what is over that time, within the day."""
    command = LiftHoldCommand(hold_id, draft.reason)

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_view(await lift_hold(work, command, who.id)))

    return await write(use_case)


def _view(hold: LegalHold) -> LegalHoldView:
    return LegalHoldView(
        id=hold.id,
        groups=list(hold.groups),
        members=list(hold.members),
        since=hold.since,
        until=hold.until,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        lifted_by=hold.lifted_by,
        lifted_at=hold.lifted_at,
        lift_reason=hold.lift_reason,
    )
