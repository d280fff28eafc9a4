"""Proposals: which plan is to be followed, in which group and why, and how a person is asked. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.contracts.channel import Action
from huiqun.contracts.channel.mentions import AddressedText
from moderation.channel_requests.model import ActionTerms, staff_task
from moderation.plans.model import IncidentPlan, PlanTrigger

_ALL_GROUPS: Final = "*"


@dataclass(frozen=True, slots=True)
class IncidentProposal:
    """An incident that might be opened in a group, because so many messages were blocked as its trigger says."""

    kind: str
    title: str
    trigger: PlanTrigger
    group_id: str
    blocked_messages: int

    @property
    def key(self) -> str:
        """What is not proposed twice in a short time: the kind in the group, or in all groups together."""
        return f"{self.kind}/{_ALL_GROUPS if self.trigger.scope == 'all' else self.group_id}"

    def as_action(self, staff_id: str | None, at: datetime) -> Action:
        """The request to a person to look whether the incident is to be opened."""
        where = "各群合计" if self.trigger.scope == "all" else "本群"
        text = (
            f"{where}近 {self.trigger.minutes} 分钟有 {self.blocked_messages} 条消息被拦截，"
            f"疑似“{self.title}”。请核实是否启动应急预案（{self.kind}）。"
        )
        terms = ActionTerms(at, f"incident/{self.kind}/proposed")
        return staff_task(self.group_id, staff_id, AddressedText(text), terms)


def propose_incidents(
    kind: str, plan: IncidentPlan, trigger: PlanTrigger, blocked: Mapping[str, int]
) -> list[IncidentProposal]:
    """What is to be proposed for this kind, where `blocked` has the number of blocked messages by group."""
    groups = trigger.triggered_groups(blocked)
    return [IncidentProposal(kind, plan.title, trigger, group_id, number) for group_id, number in groups.items()]
