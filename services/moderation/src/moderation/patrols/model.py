"""What a patrol of a group finds: what has happened since the last one, and what waits for a person. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.channel.shown_names import clean_group_name
from huiqun.contracts.moderation import Verdict
from moderation.cases.model import Case

_VERDICT_NAMES: Mapping[Verdict, str] = {Verdict.BLOCK: "拦截", Verdict.WARN: "提醒", Verdict.REVIEW: "待复核"}


@dataclass(frozen=True, slots=True)
class Patrol:
    """The messages sent from `since` to `at` by verdict, and what waited at the end of it."""

    id: str
    group_id: str
    since: datetime
    at: datetime
    judged: Mapping[Verdict, int]
    waiting: int
    overdue: int
    oldest: datetime | None
    open_actions: int

    @property
    def has_news(self) -> bool:
        """Whether there is anything to tell."""
        broken = sum(self.judged.get(verdict, 0) for verdict in _VERDICT_NAMES)
        return bool(broken or self.waiting or self.open_actions)


def count_overdue(cases: Sequence[Case], now: datetime) -> int:
    """Count the cases that should have been decided by now."""
    return sum(case.due_at <= now for case in cases)


def describe_patrol(patrol: Patrol, group_name: str, zone: ZoneInfo) -> AddressedText:
    """Say what the owner of the group is told of a patrol."""
    found = "，".join(f"{name} {patrol.judged.get(verdict, 0)} 条" for verdict, name in _VERDICT_NAMES.items())
    where = clean_group_name(group_name) or patrol.group_id
    lines = [
        f"【巡群】{where}，{_format_time(patrol.since, zone)} 至 {_format_time(patrol.at, zone)}：",
        f"发言 {sum(patrol.judged.values())} 条，{found}。",
    ]
    if patrol.waiting and patrol.oldest is not None:
        since = _format_time(patrol.oldest, zone)
        lines.append(f"待处理案件 {patrol.waiting} 件，其中超时 {patrol.overdue} 件，最早的始于 {since}。")
    if patrol.open_actions:
        lines.append(f"尚无结果的处置 {patrol.open_actions} 项。")
    return AddressedText("\n".join(lines))


def _format_time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%m-%d %H:%M}"
