"""Drills: the same machine, of which the channel and the groups feel nothing, and which is scored."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from huiqun.contracts.moderation import IncidentClosed, IncidentOpened, Verdict
from huiqun.testing.events import NOON, minutes_after_noon
from moderation.incidents.model.incident import Incident, steps_of
from moderation.incidents.model.plans import Plan, Step
from moderation.incidents.model.scoring import report_of
from tests.moderation.incidents.scene import Caller, create, judged, pending
from tests.moderation.rig import ModerationRig

REVIEW = {"what_happened": "演练。", "cause": "年度计划。"}


def drill_of(*done: float | None) -> Incident:
    """A drill of steps that are due in 10 minutes each, done after so many."""
    steps = tuple(
        Step(key=f"s{number}", title=f"步骤{number}", owner_role="群主", due_minutes=10) for number in range(len(done))
    )
    plan = Plan(title="演习", steps=steps)
    incident = Incident("i", "x", plan, 1, ("g1",), "", True, "me", NOON, steps_of(plan, NOON, {}, None))
    for progress, minutes in zip(incident.steps, done, strict=True):
        if minutes is not None:
            progress.done_at = minutes_after_noon(minutes)
    return incident


def test_a_step_in_time_earns_everything_a_late_one_less_and_a_missed_one_nothing() -> None:
    report = report_of(drill_of(0, 10, 12.5, 20, 35, None), ZoneInfo("Asia/Shanghai"))
    assert [step.points for step in report.steps] == [100, 100, 75, 0, 0, 0]
    assert (report.count("in_time"), report.count("late"), report.count("missed")) == (2, 3, 1)
    assert report.score == 46


def test_the_report_says_what_was_weak_in_the_groups_own_time() -> None:
    text = report_of(drill_of(5, None), ZoneInfo("Asia/Shanghai")).text
    assert "开始：2026-11-22 12:00" in text
    assert "总分：50 分（按时 1 项，超时 0 项，未完成 1 项）" in text
    assert "1. 步骤0（群主）：要求 10 分钟，实际 5 分钟，按时，100 分" in text
    assert text.endswith("需要加强：步骤1")


async def drill(caller: Caller, **fields: Any) -> str:
    body = {"kind": "attack", "groups": ["g1", "g2"], "drill": True, **fields}
    return str((await caller.post("incidents", body, status=201))["id"])


async def test_a_drill_reaches_neither_the_channel_nor_the_groups_mode(rig: ModerationRig, moderator: Caller) -> None:
    await create(rig, "g1", "g2")
    incident = await drill(moderator)
    assert (await judged(rig, "g1")).data.verdict is Verdict.ALLOW
    await rig.run_due(timedelta(minutes=10))
    await moderator.post(f"incidents/{incident}/steps/warn_members/completion", {})
    await rig.run_due(timedelta(minutes=300))
    await moderator.post(f"incidents/{incident}/containment", seen="*")
    await moderator.post(f"incidents/{incident}/closure", REVIEW, seen="*")
    assert rig.actions() == []
    assert await rig.database["group_modes"].count_documents({}) == 0
    shadows = await rig.database["actions"].find({"state": "shadow"}).to_list(None)
    assert {shadow["kind"] for shadow in shadows} == {"send_message", "notify_staff"}
    assert await rig.database["actions"].count_documents({"state": {"$ne": "shadow"}}) == 0
    shown = (await moderator.get("actions", state="shadow"))["items"]
    assert all("【演练】" in action["content"] for action in shown if action["kind"] == "notify_staff")


async def test_a_drill_does_not_begin_in_the_future(rig: ModerationRig, moderator: Caller) -> None:
    body = {
        "kind": "leak",
        "groups": ["g1"],
        "drill": True,
        "as_of": (rig.clock.moment + timedelta(hours=1)).isoformat(),
    }
    refused = await moderator.post("incidents", body, status=422)
    assert "future" in refused["detail"]


async def test_its_events_say_that_it_is_a_drill(rig: ModerationRig, moderator: Caller) -> None:
    incident = await drill(moderator, groups=["g1"])
    await moderator.post(f"incidents/{incident}/containment", seen="*")
    await moderator.post(f"incidents/{incident}/closure", REVIEW, seen="*")
    told = [data.drill for data in rig.data_of(IncidentOpened, IncidentClosed)]
    assert told == [True, True]


async def test_a_scripted_drill_plays_itself_in_the_order_of_its_time(rig: ModerationRig, moderator: Caller) -> None:
    began = rig.clock.moment - timedelta(hours=3)
    script = [
        {"after_minutes": 1, "text": "群内出现 30 条兼职广告"},
        {"after_minutes": 4, "step": "confirm", "text": "确认为 5 个账号"},
        {"after_minutes": 20, "step": "remove_accounts"},
        {"after_minutes": 14, "step": "close_entrance"},
        {"after_minutes": 40, "contains": True},
    ]
    incident = await drill(moderator, script=script, as_of=began.isoformat())
    await rig.run_due()
    view = await moderator.get(f"incidents/{incident}")
    assert view["state"] == "contained"
    assert {step["key"] for step in view["steps"] if step["done_at"]} == {
        "confirm",
        "remove_accounts",
        "close_entrance",
    }
    timeline = (await moderator.get(f"incidents/{incident}/timeline"))["items"]
    assert [entry["at"] for entry in timeline] == sorted(entry["at"] for entry in timeline)
    about = [(entry["what"], entry["step"]) for entry in timeline if entry["step"] in ("confirm", "remove_accounts")]
    assert about == [
        ("reminded", "confirm"),
        ("step_done", "confirm"),
        ("reminded", "remove_accounts"),
        ("escalated", "remove_accounts"),
        ("step_done", "remove_accounts"),
    ]
    assert [entry["text"] for entry in timeline if entry["what"] == "shadow_event"] == ["群内出现 30 条兼职广告"]
    report = await moderator.get(f"incidents/{incident}/report")
    points = {step["key"]: step["points"] for step in report["steps"]}
    assert (points["confirm"], points["remove_accounts"], points["close_entrance"]) == (100, 67, 100)
    assert report["minutes_to_contain"] == 40
    assert rig.actions() == []


async def test_a_persons_hand_comes_before_the_script(rig: ModerationRig, moderator: Caller) -> None:
    incident = await drill(moderator, script=[{"after_minutes": 5, "step": "confirm"}])
    await moderator.post(f"incidents/{incident}/steps/confirm/completion", {"note": "我来"})
    await rig.run_due(timedelta(minutes=6))
    view = await moderator.get(f"incidents/{incident}")
    assert view["steps"][0]["done_by"] == moderator.id


async def test_closing_ends_the_script(rig: ModerationRig, moderator: Caller) -> None:
    incident = await drill(moderator, script=[{"after_minutes": 5, "text": "太晚了"}])
    await moderator.post(f"incidents/{incident}/containment", seen="*")
    await moderator.post(f"incidents/{incident}/closure", REVIEW, seen="*")
    assert await pending(rig) == []


async def test_only_a_drill_has_a_script_and_only_of_steps_that_there_are(
    rig: ModerationRig, moderator: Caller
) -> None:
    script = [{"after_minutes": 1, "step": "confirm"}]
    await moderator.post("incidents", {"kind": "attack", "groups": ["g1"], "script": script}, status=422)
    as_of = (rig.clock.moment - timedelta(hours=1)).isoformat()
    await moderator.post("incidents", {"kind": "attack", "groups": ["g1"], "as_of": as_of}, status=422)
    unknown = [{"after_minutes": 1, "step": "dance"}]
    await moderator.post(
        "incidents", {"kind": "attack", "groups": ["g1"], "drill": True, "script": unknown}, status=422
    )
    await moderator.post("incidents", {"kind": "tea", "groups": ["g1"]}, status=422)
    await moderator.post("incidents", {"kind": "attack", "groups": ["g1", "g1"]}, status=422)
