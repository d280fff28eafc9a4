"""Routes of the list of authorised staff: read it, replace it by a file."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from huiqun.audit.reading import ReadsNames
from huiqun.files.reading import RowFormat
from huiqun.files.uploads import read_uploaded_rows, row_faults_problem
from huiqun.web import (
    MIB,
    IfMatch,
    Offloaded,
    Page,
    Paging,
    Principal,
    ReadDatabase,
    Router,
    WriteOnce,
    WriteResult,
    limit_body,
    require_role,
    set_etag,
)
from huiqun.work import Work
from moderation.staff import store
from moderation.staff.handlers import replace_staff_list
from moderation.staff.model import Staff, StaffList, UnfitStaffError, parse_staff

router = Router("/api/v1/staff", tag="staff", role="viewer")

_FORMS = (RowFormat.CSV, RowFormat.JSON)
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": (
            "CSV with a header, or a JSON list of objects. Fields: staff_id, the id that the person has in groups; "
            "name; and departed_on, the first day away, for who has left. "
            "UTF-8, or what `charset` says: gb18030, gbk, gb2312."
        ),
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "staff_id,name,departed_on\nstaff-7,王经理,\nstaff-8,李经理,2026-10-31\n",
            },
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "example": [{"staff_id": "staff-7", "name": "王经理"}],
            },
        },
    },
    "responses": {"415": {"description": "Neither CSV nor JSON, or an unknown charset"}},
}
Moderator = Annotated[Principal, require_role("moderator")]


class StaffView(BaseModel):
    """Somebody who is authorised to be in groups as staff."""

    staff_id: str = Field(description="The id that the person has in groups.", examples=["staff-7"])
    name: str = Field(description="The person's name.", examples=["王经理"])
    departed_on: date | None = Field(
        description="The first day on which the person no longer works here; null while they do.",
        examples=["2026-10-31"],
    )


class StaffListView(BaseModel):
    """The list of authorised staff as a whole."""

    size: int = Field(description="Number of people who stand on the list.", examples=[320])
    revision: int = Field(
        description="The number of the list, which rises with every upload; it is the ETag, too.", examples=[4]
    )
    uploaded_by: str | None = Field(
        description="Principal who uploaded the list; null before the first upload.", examples=["key:5f2a9c01d4e8b7a3"]
    )
    uploaded_at: datetime | None = Field(
        description="Moment the list was uploaded; null before the first upload.", examples=["2026-11-22T08:00:00Z"]
    )


@router.get("", summary="Read the state of the list of authorised staff")
async def read_staff_list(db: ReadDatabase, response: Response) -> StaffListView:
    """How many people stand on the list of authorised staff, and since when; they themselves are under `/people`."""
    found = await store.get_staff_list(db)
    set_etag(response, found.revision)
    return _list_view(found)


@router.get("/people", summary="List the authorised staff")
async def list_staff(db: ReadDatabase, paging: Paging, reading: ReadsNames) -> Page[StaffView]:
    """By id. The reading is audited, because it shows names."""
    found = await store.list_staff(db, after=paging.last(str), limit=paging.limit + 1)
    if found:
        await reading.record("staff/people", people=min(len(found), paging.limit))
    return paging.page(found, lambda person: (person.staff_id,), _staff_view)


@router.put(
    "",
    summary="Replace the list of authorised staff by a file",
    response_model=StaffListView,
    dependencies=[limit_body(16 * MIB)],
    openapi_extra=_FILE,
)
async def put_staff_list(
    request: Request, seen: IfMatch, write: WriteOnce, who: Moderator, offload: Offloaded
) -> Response:
    """The file is taken as a whole or not at all: with an unfit row it is refused, and every such row is named."""
    try:
        # Reading 50,000 rows takes processor time: elsewhere, so that heartbeats and requests go on.
        people = await offload(_read_staff, request)
    except UnfitStaffError as error:
        raise row_faults_problem("unfit-staff", error.faults) from None

    async def use_case(work: Work) -> WriteResult:
        made = await replace_staff_list(work, people, seen.check, who.id)
        return WriteResult(_list_view(made), version=made.revision)

    return await write(use_case)


def _read_staff(request: Request) -> tuple[Staff, ...]:
    return parse_staff(*read_uploaded_rows(request, _FORMS))


def _list_view(found: StaffList) -> StaffListView:
    return StaffListView(
        size=found.size, revision=found.revision, uploaded_by=found.uploaded_by, uploaded_at=found.uploaded_at
    )


def _staff_view(person: Staff) -> StaffView:
    return StaffView(staff_id=person.staff_id, name=person.name, departed_on=person.departed_on)
