"""Routes of group modes: read the mode of a group, set it by hand."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import GroupMode
from huiqun.privacy.text import MaskedText
from huiqun.web import Caller, IfMatch, ReadDatabase, Router, WriteOnce, WriteResult, set_etag
from huiqun.work import Work
from moderation.delegations.handlers import NotAuthorisedError
from moderation.modes import handlers, store
from moderation.modes.handlers import HeldByIncidentError, SetGroupModeCommand
from moderation.modes.model import AnnouncementText, GroupModeHolds, ModeMinutes

router = Router(
    "/api/v1/groups/{group_id}/mode",
    tag="groups",
    role="viewer",
    problems={NotAuthorisedError: (403, "not-authorised"), HeldByIncidentError: (409, "held-by-incident")},
)

GroupPath = Annotated[Id, Path(description="Id of the group.", examples=["group-1"])]


class ModeHoldView(BaseModel):
    """A hold: who keeps the group in which mode."""

    by: str = Field(
        description="Id of the incident that holds the group, or `hand` where a person set the mode without one.",
        examples=["hand"],
    )
    mode: GroupMode = Field(description="Mode that the holder keeps the group in.", examples=["quiet"])
    until: datetime = Field(
        description="Moment at which the hold ends at the latest.", examples=["2026-11-22T12:00:00Z"]
    )
    set_by: str = Field(description="Principal who set the mode.", examples=["key:5f2a9c01d4e8b7a3"])
    staff: list[str] = Field(
        description="Ids of members whom others may @mention in the quiet mode, beside the group's staff.",
        examples=[["s-7"]],
    )


class GroupModeView(BaseModel):
    """The mode of a group: the severest of those it is held in."""

    group_id: str = Field(description="Id of the group.", examples=["group-1"])
    mode: GroupMode = Field(description="Mode of the group: who may write in it now.", examples=["quiet"])
    since: datetime | None = Field(
        description="Moment since which the group is in this mode; null for the normal mode.",
        examples=["2026-11-22T08:00:00Z"],
    )
    until: datetime | None = Field(
        description="Moment at which the mode ends by itself; null for the normal mode.",
        examples=["2026-11-22T12:00:00Z"],
    )
    revision: int = Field(description="Revision of the group's mode, which is its ETag.", examples=[2])
    holds: list[ModeHoldView] = Field(description="Holds that keep the group in a mode.")


class GroupModeBody(BaseModel):
    """The mode that a group is to have."""

    mode: GroupMode = Field(description="Mode that the group is to have.", examples=["quiet"])
    minutes: ModeMinutes = Field(
        default=60, description="Minutes that the mode lasts; of no account for the normal mode.", examples=[60]
    )
    reason: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="",
        description="Reason for which the mode is set; it stands in the audit log.",
        examples=["讨论过于激烈"],
    )
    text: AnnouncementText | None = Field(
        default=None,
        description="Message that announces the mode in the group; without it, the usual one is sent.",
        examples=["本群暂时安静。"],
    )
    staff: list[Id] = Field(
        default=[],
        max_length=100,
        description="Ids of members whom others may @mention in the quiet mode, beside the group's staff.",
        examples=[["staff-7"]],
    )


@router.get("", summary="Read the mode of a group")
async def read_group_mode(db: ReadDatabase, group_id: GroupPath, response: Response) -> GroupModeView:
    """A group that nobody holds is in the normal mode. The ETag is what a change needs as If-Match."""
    group = await store.get_mode_holds(db, group_id)
    set_etag(response, group.revision)
    return _view(group, datetime.now(UTC))


@router.put("", summary="Set the mode of a group", response_model=GroupModeView)
async def set_group_mode(
    group_id: GroupPath, body: GroupModeBody, seen: IfMatch, write: WriteOnce, who: Caller
) -> Response:
    """It is in force within two seconds.

    For moderators, and for whom `set_modes` is delegated to. A mode that an incident holds is changed in the incident.
    """
    command = SetGroupModeCommand(group_id, body.mode, body.minutes, body.reason, body.text, frozenset(body.staff))

    async def use_case(work: Work) -> WriteResult:
        group = await handlers.set_group_mode(work, command, seen.check, who)
        return WriteResult(_view(group, work.now), version=group.revision)

    return await write(use_case)


def _view(group: GroupModeHolds, now: datetime) -> GroupModeView:
    span = group.mode_span(now)
    return GroupModeView(
        group_id=group.group_id,
        mode=span.mode if span else GroupMode.NORMAL,
        since=span.since if span else None,
        until=span.until if span else None,
        revision=group.revision,
        holds=[
            ModeHoldView(by=hold.holder, mode=hold.mode, until=hold.until, set_by=hold.set_by, staff=sorted(hold.staff))
            for hold in group.holds.values()
            if hold.until > now
        ],
    )
