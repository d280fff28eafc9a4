"""How well an incident's steps kept to their times: points per step, a score, and a report in Chinese. No I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from moderation.incidents.model import Incident, StepProgress

StepOutcome = Literal["in_time", "late", "missed"]
_OUTCOME_NAMES: Final[dict[StepOutcome, str]] = {"in_time": "按时", "late": "超时", "missed": "未完成"}
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StepScore:
    """What a step earned: 100 in time, less the later it was, nothing at twice its time or never."""

    key: str
    title: str
    owner_role: str
    due_minutes: int
    took_minutes: float | None
    outcome: StepOutcome
    points: int


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """An incident's score from 0 to 100, and the same in words."""

    score: int
    steps: tuple[StepScore, ...]
    minutes_to_contain: float | None
    text: str

    def count_steps(self, outcome: StepOutcome) -> int:
        """How many steps ended so."""
        return sum(step.outcome == outcome for step in self.steps)


def score_step(progress: StepProgress, opened_at: datetime) -> StepScore:
    """The points of one step."""
    step = progress.step
    took: float | None = None
    outcome: StepOutcome = "missed"
    points = 0
    if progress.done_at is not None:
        took = _minutes(progress.done_at - opened_at)
        outcome = "late" if progress.is_late else "in_time"
        points = 100 if outcome == "in_time" else max(0, round(100 * (2 - took / step.due_minutes)))
    return StepScore(step.key, step.title, step.owner_role, step.due_minutes, took, outcome, points)


def total_score(steps: Sequence[StepScore]) -> int:
    """The mean of the points, from 0 to 100."""
    return round(sum(step.points for step in steps) / len(steps))


def build_incident_report(incident: Incident, zone: ZoneInfo) -> IncidentReport:
    """The report on an incident, in words as well; the times there are those of `zone`."""
    steps = tuple(score_step(progress, incident.opened_at) for progress in incident.steps)
    contained = incident.contained_at
    to_contain = _minutes(contained - incident.opened_at) if contained is not None else None
    score = total_score(steps)
    report = IncidentReport(score, steps, to_contain, "")
    return IncidentReport(score, steps, to_contain, "\n".join(_report_lines(incident, report, zone)))


def _report_lines(incident: Incident, report: IncidentReport, zone: ZoneInfo) -> Iterator[str]:
    kind = "演练报告" if incident.drill else "处置报告"
    yield f"{kind}：{incident.plan.title}（预案 {incident.kind}@{incident.plan_version}）"
    yield f"开始：{incident.opened_at.astimezone(zone):%Y-%m-%d %H:%M}"
    counts = "，".join(f"{name} {report.count_steps(outcome)} 项" for outcome, name in _OUTCOME_NAMES.items())
    yield f"总分：{report.score} 分（{counts}）"
    if report.minutes_to_contain is not None:
        yield f"控制用时：{report.minutes_to_contain:g} 分钟"
    for number, step in enumerate(report.steps, 1):
        took = f"实际 {step.took_minutes:g} 分钟，" if step.took_minutes is not None else ""
        yield (
            f"{number}. {step.title}（{step.owner_role}）：要求 {step.due_minutes} 分钟，"
            f"{took}{_OUTCOME_NAMES[step.outcome]}，{step.points} 分"
        )
    weak = [step.title for step in report.steps if step.outcome != "in_time"]
    yield f"需要加强：{'、'.join(weak)}" if weak else "各步骤均按时完成。"


def _minutes(span: timedelta) -> float:
    return round(span / _MINUTE, 1)
