"""What judging a batch leads to, collected and then done in bulk."""

from dataclasses import dataclass, field

from huiqun.contracts.channel import Action
from huiqun.contracts.envelope import Event
from huiqun.work import Work
from moderation.cases.handlers.asking import Appeal, receive_appeals, receive_reports
from moderation.cases.handlers.opening import open_cases
from moderation.cases.model import Opening, Report
from moderation.enforcement.handlers import request_actions


@dataclass(slots=True)
class FollowUp:
    """What a batch leads to: requests to the channel, and questions for people."""

    requests: list[tuple[Action, Event | None]] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    appeals: list[Appeal] = field(default_factory=list)

    def ask(self, action: Action, cause: Event) -> None:
        """Ask the channel for something."""
        self.requests.append((action, cause))

    async def carry_out(self, work: Work) -> None:
        """Write it all, each kind in bulk; most batches have nothing of most kinds."""
        if self.requests:
            await request_actions(work, self.requests)
        await open_cases(work, self.openings)
        await receive_reports(work, self.reports)
        await receive_appeals(work, self.appeals)
