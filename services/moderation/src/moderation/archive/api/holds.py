"""Legal holds: place, list, lift."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.text import MaskedText
from huiqun.web import Page, Paging, ReadDatabase, Router, WriteOnce, WriteResult
from huiqun.work import Work
from moderation.archive.api.access import Auditor
from moderation.archive.handlers.holds import HoldOrder, LiftedHoldError, UnknownHoldError, lift_hold, place_hold
from moderation.archive.handlers.settling import unsettled
from moderation.archive.model import Hold
from moderation.archive.store import holds as store

router = Router(
    "/api/v1/holds",
    tag="archive",
    role="auditor",
    problems={UnknownHoldError: (404, "unknown-hold"), LiftedHoldError: (409, "hold-lifted")},
)

HoldPath = Annotated[Id, Path(description="The hold's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])]
OnlyOpen = Annotated[bool, Query(description="Leave out those that were lifted.", examples=[True])]
Grounds = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=1_000)]
Named = Annotated[list[Id], Field(max_length=200)]


class HoldDraft(BaseModel):
    """What is to be held."""

    groups: Named = Field(default=[], description="In these groups; in all if none is named.", examples=[["group-1"]])
    members: Named = Field(
        default=[], description="What these members wrote; all of them if none is named.", examples=[["member-1"]]
    )
    since: Instant | None = Field(
        default=None, alias="from", description="Sent then or later.", examples=["2026-11-01T00:00:00+08:00"]
    )
    until: Instant | None = Field(
        default=None,
        alias="to",
        description="Sent before then; without it, also what will be sent.",
        examples=["2026-12-01T00:00:00+08:00"],
    )
    reason: Grounds = Field(description="Why, with a reference.", examples=["诉讼保全 (2026)沪01民初123号"])

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.groups and not self.members:
            raise ValueError("name groups, members or both")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("to is later than from")
        return self


class Lift(BaseModel):
    """Why a hold is lifted."""

    reason: Grounds = Field(description="Why, with a reference.", examples=["案件已结"])


class HoldView(BaseModel):
    """A hold: while it is open, nothing that it covers expires."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(description="The hold's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    groups: list[str] = Field(description="In these groups; in all if empty.", examples=[["group-1"]])
    members: list[str] = Field(description="What these wrote; all of them if empty.", examples=[["member-1"]])
    since: datetime | None = Field(alias="from", description="Sent then or later.", examples=["2026-11-01T00:00:00Z"])
    until: datetime | None = Field(alias="to", description="Sent before then.", examples=["2026-12-01T00:00:00Z"])
    reason: str = Field(description="Why it was placed.", examples=["诉讼保全 (2026)沪01民初123号"])
    placed_by: str = Field(description="By whom.", examples=["key:5f2a9c01d4e8b7a3"])
    placed_at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    lifted_by: str | None = Field(description="Who lifted it.", examples=["key:5f2a9c01d4e8b7a3"])
    lifted_at: datetime | None = Field(description="When; null while it is open.", examples=["2027-02-01T08:00:00Z"])
    lift_reason: str | None = Field(description="Why it was lifted.", examples=["案件已结"])


class HoldProgress(HoldView):
    """A hold, and whether it has come through."""

    unsettled: int = Field(
        description="In how many groups archived messages are still looked through; at 0 all that it covers is held, "
        "or let go. It takes a minute at least.",
        examples=[0],
    )


@router.get("", summary="List the legal holds")
async def list_holds(db: ReadDatabase, paging: Paging, only_open: OnlyOpen = False) -> Page[HoldView]:  # noqa: FBT002 - a query has no keywords
    """Newest first."""
    found = await store.listed(db, paging.last(str), paging.limit + 1, only_open=only_open)
    return paging.page(found, lambda hold: (hold.id,), _view)


@router.post("", summary="Place a legal hold", status_code=201, response_model=HoldView)
async def place(draft: HoldDraft, write: WriteOnce, who: Auditor) -> Response:
    """New messages are held within a second, archived ones in the minutes that follow, oldest first."""
    order = HoldOrder(tuple(draft.groups), tuple(draft.members), draft.since, draft.until, draft.reason)

    async def use_case(work: Work) -> WriteResult:
        hold = await place_hold(work, order, who.id)
        return WriteResult(_view(hold), location=f"/api/v1/holds/{hold.id}")

    return await write(use_case)


@router.get("/{hold_id}", summary="Read a legal hold, and whether it has come through")
async def read_hold(db: ReadDatabase, hold_id: HoldPath) -> HoldProgress:
    """Lifted ones as well."""
    hold = await store.find(db, hold_id)
    if hold is None:
        raise UnknownHoldError(hold_id)
    return HoldProgress(**_view(hold).model_dump(), unsettled=await unsettled(db, hold_id))


@router.post("/{hold_id}/lift", summary="Lift a legal hold", response_model=HoldView)
async def lift(hold_id: HoldPath, grounds: Lift, write: WriteOnce, who: Auditor) -> Response:
    """What no other hold covers expires as the policy of its group says: what is over that time, within the day."""

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_view(await lift_hold(work, hold_id, grounds.reason, who.id)))

    return await write(use_case)


def _view(hold: Hold) -> HoldView:
    return HoldView(
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
