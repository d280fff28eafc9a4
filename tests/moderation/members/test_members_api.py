"""Members and roster reports over HTTP."""

from huiqun.contracts.channel import Role
from moderation.staff.handlers import replace_staff_list
from moderation.staff.model import Staff
from tests.moderation.people import created, joined, left
from tests.moderation.rig import ModerationRig, any_version

GROUP = "/api/v1/groups/g1"


async def test_members_are_listed_page_by_page(rig: ModerationRig) -> None:
    http = await rig.http("moderator")
    await rig.deliver(*(joined(f"u{number}") for number in range(5)), left("u3"))
    first = (await http.get(f"{GROUP}/members?limit=3&present=true")).json()
    second = (await http.get(f"{GROUP}/members?limit=3&present=true&cursor={first['next_cursor']}")).json()
    assert [member["member_id"] for member in first["items"] + second["items"]] == ["u0", "u1", "u2", "u4"]
    gone = (await http.get(f"{GROUP}/members/u3")).json()
    assert (gone["present"], gone["left_reason"], gone["consented"]) == (False, "left", True)
    assert (await http.get(f"{GROUP}/members/nobody")).status_code == 404


async def test_a_check_of_a_roster_can_be_asked_for_and_its_report_is_kept(rig: ModerationRig) -> None:
    http = await rig.http("moderator")
    await rig.run(lambda work: replace_staff_list(work, [Staff("staff-1", "王经理")], any_version, "tester"))
    await rig.deliver(created(), joined("staff-9", name="小张", role=Role.STAFF))
    made = await http.post(f"{GROUP}/roster-reports")
    assert (made.status_code, [each["kind"] for each in made.json()["findings"]]) == (201, ["unknown_staff"])
    assert (await http.get(f"{GROUP}/roster-reports")).json()["items"] == [made.json()]
    audited = [entry["action"] for entry in await rig.documents("audit_log")]
    assert audited == ["staff.list.replaced", "roster.checked"]
