"""A roster is checked against the authorised staff, and what is found is reported to the group's owner."""

from datetime import date, timedelta

import pytest

from huiqun.contracts.channel import ActionKind, Role
from huiqun.files.reading import RowFormat
from moderation.members.model import Irregularity, RosterEntry, check_names, check_staff
from moderation.policies.sections.roster import RosterRule
from moderation.staff.handlers import replace_staff_list
from moderation.staff.model import Staff, UnfitStaffError, parse_staff
from tests.moderation.people import created, joined
from tests.moderation.rig import ModerationRig

STAFF = (
    Staff("staff-1", "王经理"),
    Staff("staff-2", "李经理", departed_on=date(2026, 11, 1)),
    Staff("staff-3", "赵经理", departed_on=date(2027, 1, 1)),
)


async def upload(rig: ModerationRig, *staff: Staff) -> None:
    await rig.run(lambda work: replace_staff_list(work, staff, lambda _: None, "tester"))


async def test_strangers_and_departed_among_the_staff_and_customers_who_look_like_staff_are_reported(
    rig: ModerationRig,
) -> None:
    await upload(rig, *STAFF)
    await rig.deliver(
        created(),
        *(joined(f"staff-{number}", name=f"客户经理{number}", role=Role.STAFF) for number in (1, 2, 3, 9)),
        joined("u1", name="李女士"),
        joined("u2", name="官 方 客·服"),
        joined("u3", name="客户經理1"),
        joined("bot-1", name="小助手", role=Role.BOT),
    )
    await rig.write_policy(roster={})
    await rig.run_due(timedelta(days=7))
    (report,) = await rig.documents("roster_reports")
    assert [(finding["kind"], finding["member_id"]) for finding in report["findings"]] == [
        ("departed_staff", "staff-2"),
        ("unknown_staff", "staff-9"),
        ("staff_like_name", "u2"),
        ("staff_like_name", "u3"),
    ]
    assert (report["members"], report["staff"], report["listed"]) == (8, 4, 3)
    (notice,) = [action for action in rig.actions() if action.kind is ActionKind.NOTIFY_STAFF]
    assert (notice.assignee, notice.reason) == ("staff-1", "roster")
    assert set(notice.members) == {"staff-2", "staff-9", "u2", "u3"}
    (told,) = rig.said(ActionKind.NOTIFY_STAFF)
    assert "不在授权名单中的工作人员 1 人：客户经理9（staff-9）" in told


async def test_a_roster_in_order_is_reported_without_troubling_anybody(rig: ModerationRig) -> None:
    await upload(rig, *STAFF)
    await rig.deliver(created(), joined("staff-1", name="王经理", role=Role.STAFF), joined("u1", name="李女士"))
    await rig.write_policy(roster={"schedule": "0 9 * * *"})
    await rig.run_due(timedelta(days=2))
    assert [report["findings"] for report in await rig.documents("roster_reports")] == [[], []]
    assert rig.actions() == []


async def test_without_a_list_nobody_is_called_a_stranger(rig: ModerationRig) -> None:
    await rig.deliver(created(), joined("staff-1", role=Role.STAFF), joined("u1", name="官方客服"))
    await rig.write_policy(roster={"schedule": "0 9 * * *"})
    await rig.run_due(timedelta(days=1))
    (report,) = await rig.documents("roster_reports")
    assert [finding["kind"] for finding in report["findings"]] == ["staff_like_name"]
    assert report["listed"] == 0


def test_a_short_name_that_staff_and_customer_share_is_no_impersonation() -> None:
    members = [RosterEntry("s", Role.STAFF, "王"), RosterEntry("u", Role.CUSTOMER, "王")]
    assert list(check_names(members, RosterRule().staff_words)) == []
    twins = [RosterEntry("s", Role.STAFF, "王小明"), RosterEntry("u", Role.CUSTOMER, "王小明")]
    assert [finding.kind for finding in check_names(twins, ())] == [Irregularity.STAFF_LIKE_NAME]


@pytest.mark.parametrize("nobody", ["unknown", "0", "null", "-", "未知"])
def test_nobody_is_authorised_by_a_placeholder_for_an_id(nobody: str) -> None:
    for form, content in (
        (RowFormat.CSV, f"staff_id,name\n{nobody},王经理\n"),
        (RowFormat.JSON, f'[{{"staff_id": "{nobody}", "name": "王经理"}}]'),
    ):
        with pytest.raises(UnfitStaffError):
            parse_staff(content, form)
    members = [RosterEntry(nobody, Role.STAFF, "王经理")]
    (finding,) = check_staff(members, {nobody: Staff(nobody, "王经理")}, date(2026, 11, 22))
    assert finding.kind is Irregularity.UNKNOWN_STAFF


@pytest.mark.parametrize("nameless", ["微信用户", "未知", "unknown", "---"])
def test_whoever_has_no_name_takes_nobody_s(nameless: str) -> None:
    members = [RosterEntry("s", Role.STAFF, nameless), RosterEntry("u", Role.CUSTOMER, nameless)]
    assert list(check_names(members, ())) == []
