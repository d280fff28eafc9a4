"""The mode of a group: read it, set it by hand."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import GroupMode
from huiqun.privacy.text import MaskedText
from huiqun.web import Caller, IfMatch, ReadDatabase, Router, WriteOnce, WriteResult, set_etag
from huiqun.work import Work
from moderation.incidents.handlers import modes as handlers
from moderation.incidents.handlers.authority import NotAuthorisedError
from moderation.incidents.handlers.modes import HeldByIncidentError, Wish
from moderation.incidents.model.modes import GroupHolds
from moderation.incidents.model.plans import Minutes, Words
from moderation.incidents.store import modes as store

router = Router(
    "/api/v1/groups/{group_id}/mode",
    tag="groups",
    role="viewer",
    problems={NotAuthorisedError: (403, "not-authorised"), HeldByIncidentError: (409, "held-by-incident")},
)

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]


class HoldView(BaseModel):
    """Who keeps the group in a mode."""

    by: str = Field(description="An incident's id, or `hand` where a person did without one.", examples=["hand"])
    mode: GroupMode = Field(description="Which mode.", examples=["quiet"])
    until: datetime = Field(description="Until when at most.", examples=["2026-11-22T12:00:00Z"])
    set_by: str = Field(description="Who set it.", examples=["key:5f2a9c01d4e8b7a3"])
    staff: list[str] = Field(description="Whom members may @mention meanwhile, beside the staff.", examples=[["s-7"]])


class ModeView(BaseModel):
    """The mode of a group: the severest of those it is held in."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    mode: GroupMode = Field(description="Who may write now.", examples=["quiet"])
    since: datetime | None = Field(
        description="Since when; null for the normal mode.", examples=["2026-11-22T08:00:00Z"]
    )
    until: datetime | None = Field(
        description="Until when; null for the normal mode.", examples=["2026-11-22T12:00:00Z"]
    )
    revision: int = Field(description="Rises with every change; it is the ETag, too.", examples=[2])
    holds: list[HoldView] = Field(description="Who keeps it in which mode.")


class ModeWish(BaseModel):
    """The mode that the group is to have."""

    mode: GroupMode = Field(description="Which mode.", examples=["quiet"])
    minutes: Minutes = Field(default=60, description="How long; of no account for the normal mode.", examples=[60])
    reason: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="", description="Why; for the audit log.", examples=["讨论过于激烈"]
    )
    text: Words | None = Field(
        default=None, description="What is announced in the group; without it, the usual.", examples=["本群暂时安静。"]
    )
    staff: list[Id] = Field(
        default=[],
        max_length=100,
        description="Whom members may @mention in the quiet mode, beside the staff in the group.",
        examples=[["staff-7"]],
    )


@router.get("", summary="Read the mode of a group")
async def read_mode(db: ReadDatabase, group_id: GroupPath, response: Response) -> ModeView:
    """A group that nobody holds is in the normal mode. The ETag is what a change needs as If-Match."""
    group = await store.read(db, group_id)
    set_etag(response, group.revision)
    return _view(group, datetime.now(UTC))


@router.put("", summary="Set the mode of a group, in force within two seconds", response_model=ModeView)
async def set_mode(group_id: GroupPath, wanted: ModeWish, seen: IfMatch, write: WriteOnce, who: Caller) -> Response:
    """For moderators, and for whom `set_modes` is delegated to. What an incident holds is changed in the incident."""
    wish = Wish(group_id, wanted.mode, wanted.minutes, wanted.reason, wanted.text, frozenset(wanted.staff))

    async def use_case(work: Work) -> WriteResult:
        group = await handlers.set_by_hand(work, wish, seen.check, who)
        return WriteResult(_view(group, work.now), version=group.revision)

    return await write(use_case)


def _view(group: GroupHolds, now: datetime) -> ModeView:
    span = group.span(now)
    return ModeView(
        group_id=group.group_id,
        mode=span.mode if span else GroupMode.NORMAL,
        since=span.since if span else None,
        until=span.until if span else None,
        revision=group.revision,
        holds=[
            HoldView(by=hold.by, mode=hold.mode, until=hold.until, set_by=hold.set_by, staff=sorted(hold.staff))
            for hold in group.holds.values()
            if hold.until > now
        ],
    )
