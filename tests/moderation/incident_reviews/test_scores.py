"""The score of an incident and its report in words."""

from zoneinfo import ZoneInfo

from huiqun.testing.events import NOON, minutes_after_noon
from moderation.incident_reviews.model import build_incident_report
from moderation.incident_steps.model import assign_plan_steps
from moderation.incidents.model import Incident
from moderation.plans.model import IncidentPlan, PlanStep


def drill_of(*done: float | None) -> Incident:
    """A drill of steps that are due in 10 minutes each, done after so many."""
    steps = tuple(
        PlanStep(key=f"s{number}", title=f"步骤{number}", owner_role="群主", due_minutes=10)
        for number in range(len(done))
    )
    plan = IncidentPlan(title="演习", steps=steps)
    incident = Incident("i", "x", plan, 1, ("g1",), "", True, "me", NOON, assign_plan_steps(plan, NOON, {}, None))
    for progress, minutes in zip(incident.steps, done, strict=True):
        if minutes is not None:
            progress.done_at = minutes_after_noon(minutes)
    return incident


def test_a_step_in_time_earns_everything_a_late_one_less_and_a_missed_one_nothing() -> None:
    report = build_incident_report(drill_of(0, 10, 12.5, 20, 35, None), ZoneInfo("Asia/Shanghai"))
    assert [step.points for step in report.steps] == [100, 100, 75, 0, 0, 0]
    assert (report.count_steps("in_time"), report.count_steps("late"), report.count_steps("missed")) == (2, 3, 1)
    assert report.score == 46


def test_the_report_says_what_was_weak_in_the_groups_own_time() -> None:
    text = build_incident_report(drill_of(5, None), ZoneInfo("Asia/Shanghai")).text
    assert "开始：2026-11-22 12:00" in text
    assert "总分：50 分（按时 1 项，超时 0 项，未完成 1 项）" in text
    assert "1. 步骤0（群主）：要求 10 分钟，实际 5 分钟，按时，100 分" in text
    assert text.endswith("需要加强：步骤1")
