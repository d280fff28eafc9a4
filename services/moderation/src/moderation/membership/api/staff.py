"""The list of authorised staff: read it, put a file in its place."""

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
from moderation.membership.handlers import checks
from moderation.membership.model.staff import Staff, UnfitStaffError, parse_staff
from moderation.membership.store import staff as store
from moderation.membership.store.staff import StaffList

router = Router("/api/v1/staff", tag="membership", role="viewer")

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
    """Somebody who may be in groups as staff."""

    staff_id: str = Field(description="The id they have in groups.", examples=["staff-7"])
    name: str = Field(description="Their name.", examples=["王经理"])
    departed_on: date | None = Field(description="Their first day away, if they have left.", examples=["2026-10-31"])


class StaffListView(BaseModel):
    """The list as a whole."""

    size: int = Field(description="How many stand on it.", examples=[320])
    revision: int = Field(description="Rises with every upload; it is the ETag, too.", examples=[4])
    uploaded_by: str | None = Field(description="Who uploaded it.", examples=["key:5f2a9c01d4e8b7a3"])
    uploaded_at: datetime | None = Field(description="When.", examples=["2026-11-22T08:00:00Z"])


@router.get("", summary="Read what is known of the list of authorised staff")
async def read_list(db: ReadDatabase, response: Response) -> StaffListView:
    """The people themselves are under `/people`."""
    found = await store.the_list(db)
    set_etag(response, found.revision)
    return _list(found)


@router.get("/people", summary="List the authorised staff")
async def list_people(db: ReadDatabase, paging: Paging, reading: ReadsNames) -> Page[StaffView]:
    """By id. The reading is audited, because it shows names."""
    found = await store.page(db, paging.last(str), paging.limit + 1)
    if found:
        await reading.record("staff/people", people=min(len(found), paging.limit))
    return paging.page(found, lambda person: (person.staff_id,), _person)


@router.put(
    "",
    summary="Put a file in the place of the list of authorised staff",
    response_model=StaffListView,
    dependencies=[limit_body(16 * MIB)],
    openapi_extra=_FILE,
)
async def put_list(request: Request, seen: IfMatch, write: WriteOnce, who: Moderator, offload: Offloaded) -> Response:
    """All of it or nothing: with an unfit row the file is refused, and every such row is named."""
    try:
        # Reading 50,000 rows takes processor time: elsewhere, so that heartbeats and requests go on.
        people = await offload(_read, request)
    except UnfitStaffError as error:
        raise row_faults_problem("unfit-staff", error.faults) from None

    async def use_case(work: Work) -> WriteResult:
        made = await checks.replace_staff(work, people, seen.check, who.id)
        return WriteResult(_list(made), version=made.revision)

    return await write(use_case)


def _read(request: Request) -> tuple[Staff, ...]:
    return parse_staff(*read_uploaded_rows(request, _FORMS))


def _list(found: StaffList) -> StaffListView:
    return StaffListView(
        size=found.size, revision=found.revision, uploaded_by=found.uploaded_by, uploaded_at=found.uploaded_at
    )


def _person(person: Staff) -> StaffView:
    return StaffView(staff_id=person.staff_id, name=person.name, departed_on=person.departed_on)
