"""The steps of an incident: reminded of, escalated, completed."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind
from huiqun.contracts.moderation import Verdict
from tests.moderation.incidents.people import Caller
from tests.moderation.incidents.scenario import create_groups, judge_message, open_incident
from tests.moderation.rig import ModerationRig


async def test_a_step_is_reminded_of_then_escalated_unless_it_is_done(rig: ModerationRig, moderator: Caller) -> None:
    await create_groups(rig, "g1")
    incident = await open_incident(moderator, owners={"应急负责人": "staff-5"})
    await moderator.post(f"incidents/{incident}/steps/remove_accounts/completion", {"note": "已移出 3 人"})
    await rig.run_due(timedelta(minutes=6))
    timeline = (await moderator.get(f"incidents/{incident}/timeline"))["items"]
    due = [(entry["what"], entry["step"]) for entry in timeline if entry["what"] in ("reminded", "escalated")]
    assert due == [("reminded", "confirm"), ("escalated", "confirm")]
    last = rig.actions()[-1]
    assert (last.kind, last.assignee) == (ActionKind.NOTIFY_STAFF, "staff-5")
    assert "确认攻击情况" in last.content


async def test_after_downtime_an_overdue_step_is_escalated_without_a_reminder_that_is_too_late(
    rig: ModerationRig, moderator: Caller
) -> None:
    await create_groups(rig, "g1")
    incident = await open_incident(moderator, "leak")
    rig.clock.moment += timedelta(minutes=12)
    await rig.run_due()
    timeline = (await moderator.get(f"incidents/{incident}/timeline"))["items"]
    late = [(entry["what"], entry["step"]) for entry in timeline if entry["what"] in ("reminded", "escalated")]
    assert late == [("escalated", "verify"), ("reminded", "remove_content")]


async def test_doing_a_step_sets_its_mode_and_sends_its_message(rig: ModerationRig, moderator: Caller) -> None:
    incident = await open_incident(moderator)
    done = await moderator.post(f"incidents/{incident}/steps/warn_members/completion", {"note": ""})
    assert done["mode"] == "quiet"
    assert (await judge_message(rig, "g1")).data.verdict is Verdict.WARN
    said = [action.content for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert len(said) == 3
    assert said[-1].startswith("【安全提示】刚才群内出现的链接")


async def test_a_message_may_be_worded_anew_or_left_out(rig: ModerationRig, moderator: Caller) -> None:
    incident = await open_incident(moderator, "complaint")
    await moderator.post(f"incidents/{incident}/steps/respond/completion", {"message": "我们正在了解情况。"})
    await moderator.post(f"incidents/{incident}/steps/announce/completion", {"message": ""})
    said = [action.content for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert said == ["我们正在了解情况。"]


async def test_a_step_is_done_once_and_only_if_the_plan_has_it(moderator: Caller) -> None:
    incident = await open_incident(moderator)
    path = f"incidents/{incident}/steps"
    await moderator.post(f"{path}/confirm/completion", {})
    assert (await moderator.post(f"{path}/confirm/completion", {}, status=409))["type"].endswith("step-done")
    await moderator.post(f"{path}/nothing/completion", {}, status=404)
