"""What judging a batch leads to, collected and then done in bulk."""

from dataclasses import dataclass, field

from huiqun.channel.actions.context import ActionContext
from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Action
from huiqun.work import Work
from moderation.appeals.handlers import receive_appeals
from moderation.appeals.model import Appeal
from moderation.cases.handlers import open_cases
from moderation.cases.model import CaseOpening
from moderation.reports.handlers import receive_reports
from moderation.reports.model import MessageReport


@dataclass(slots=True)
class FollowUp:
    """What a batch leads to: requests to the channel, with what each is asked for, and questions for people."""

    requests: list[Action] = field(default_factory=list)
    contexts: dict[str, ActionContext] = field(default_factory=dict)
    openings: list[CaseOpening] = field(default_factory=list)
    reports: list[MessageReport] = field(default_factory=list)
    appeals: list[Appeal] = field(default_factory=list)

    def ask(self, context: ActionContext, *actions: Action) -> None:
        """Ask the channel for something."""
        self.requests += actions
        self.contexts |= dict.fromkeys([action.action_id for action in actions], context)

    async def carry_out(self, work: Work) -> None:
        """Write it all, each kind in bulk; most batches have nothing of most kinds."""
        if self.requests:
            await request_actions(work, *self.requests, contexts=self.contexts)
        await open_cases(work, self.openings)
        await receive_reports(work, self.reports)
        await receive_appeals(work, self.appeals)
