"""The list of authorised staff is read from a file, and taken as a whole or not at all."""

from datetime import date

import pytest

from huiqun.files.reading import RowFormat
from moderation.staff.model import Staff, UnfitStaffError, parse_staff
from tests.moderation.rig import ModerationRig

CSV = "staff_id,name,departed_on\nstaff-1,王经理,\nstaff-2,李经理,2026-11-01\n"


async def test_a_list_of_staff_is_taken_as_a_whole(rig: ModerationRig) -> None:
    http = await rig.http("moderator")
    content, headers = CSV.encode("gbk"), {"Content-Type": "text/csv; charset=gbk", "If-Match": '"0"'}
    uploaded = await http.put("/api/v1/staff", content=content, headers=headers)
    assert (uploaded.status_code, uploaded.json()["size"], uploaded.headers["etag"]) == (200, 2, '"1"')
    assert (await http.put("/api/v1/staff", content=content, headers=headers)).status_code == 412
    refused = await http.put("/api/v1/staff", json=[{"staff_id": "s"}], headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["errors"][0]["line"]) == (422, 1)
    plain = await http.put("/api/v1/staff", content=b"x", headers={"Content-Type": "text/plain", "If-Match": "*"})
    assert plain.status_code == 415
    people = (await http.get("/api/v1/staff/people")).json()["items"]
    assert [(person["staff_id"], person["name"]) for person in people] == [("staff-1", "王经理"), ("staff-2", "李经理")]
    audited = [entry["action"] for entry in await rig.documents("audit_log")]
    assert audited == ["staff.list.replaced", "names.read"]


def test_the_list_is_read_from_csv_as_spreadsheets_write_it() -> None:
    content = "staff_id,name,departed_on\r\nstaff-1,王经理,\r\nstaff-2,李经理,2026-11-01\r\n"
    read = parse_staff(content, RowFormat.CSV)
    assert read == (Staff("staff-1", "王经理"), Staff("staff-2", "李经理", date(2026, 11, 1)))


def test_the_list_is_read_from_json() -> None:
    read = parse_staff('[{"staff_id": "staff-1", "name": "王经理"}]', RowFormat.JSON)
    assert read == (Staff("staff-1", "王经理"),)


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("name\n王\n", [(1, "staff_id")]),
        ("staff_id,name\ns1,\n,李\n", [(2, "name"), (3, "staff_id")]),
        ("staff_id,name\ns1,王\ns1,李\n", [(3, "staff_id")]),
        ("staff_id,name,departed_on\ns1,王,昨天\n", [(2, "departed_on")]),
        ("staff_id,name\ns1,王,x\n", [(2, "row")]),
        ('staff_id,name\ns1,"王\n', [(2, "row")]),
    ],
)
def test_an_unfit_row_is_named_by_its_line(content: str, faults: list[tuple[int, str]]) -> None:
    with pytest.raises(UnfitStaffError) as caught:
        parse_staff(content, RowFormat.CSV)
    assert [(fault.line, fault.field) for fault in caught.value.faults] == faults


@pytest.mark.parametrize("content", ["{}", "[1]", "nonsense", '[{"staff_id": 7, "name": "x"}]', "\ud800"])
def test_json_that_is_no_list_of_staff_is_refused(content: str) -> None:
    with pytest.raises(UnfitStaffError):
        parse_staff(content, RowFormat.JSON)
