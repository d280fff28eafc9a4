"""What a person decides of a case, and the case as decided. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.contracts.moderation import CaseKind, CaseOutcome
from moderation.cases.model import Case, CaseDecision, CaseEntry, CaseState, Moderator, add_history_entry
from moderation.casework.model import check_decidable_by
from moderation.notices.model import Offence
from moderation.policies.sections.rules import Rules
from moderation.sanctions.model import SanctionTerms
from moderation.standings.model import Standing

#: The kinds of cases that ask whether a message is an offence.
MESSAGE_CASES: Final = frozenset({CaseKind.REVIEW, CaseKind.REPORT})


class SameCategoryError(ValueError):
    """The case is about this category already: uphold it instead."""


class NoProposalError(ValueError):
    """Only a proposal to remove a member can be declined: uphold, reverse or reclassify this case."""


@dataclass(frozen=True, slots=True)
class DecideCaseCommand:
    """What a person decides; `category` is the right one where the case was about a wrong one."""

    outcome: CaseOutcome
    by: Moderator
    note: str = ""
    category: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """A case being decided, with what the decision needs to know of its group, and the standing that it changes.

    `standing` is None where there is none to change: staff have none, and of what could not be read it is not known
    for sure who wrote it. `at` is the time of the decision.
    """

    case: Case
    command: DecideCaseCommand
    rules: Rules
    terms: SanctionTerms
    standing: Standing | None
    at: datetime

    @property
    def category(self) -> str:
        """The category as decided."""
        return self.command.category or self.case.category

    @property
    def offence(self) -> Offence:
        """What the member did, as decided."""
        case = self.case
        return Offence(
            case.group_id,
            case.member_id,
            case.message_id,
            self.category,
            at=self.at,
            wording=self.rules.wording,
            channel=case.channel,
        )


def check_decision(case: Case, command: DecideCaseCommand) -> None:
    """Refuse what cannot be decided of a case of its kind. Raises SameCategoryError."""
    if command.outcome is CaseOutcome.RECLASSIFIED and command.category == case.category:
        raise SameCategoryError(case.category)


def close_case(case: Case, decision: CaseDecision) -> Case:
    """The case as decided. Raises CaseHeldError where somebody else holds it, CaseClosedError."""
    check_decidable_by(case, decision.by, decision.at)
    entry = CaseEntry(at=decision.at, what=decision.outcome.value, by=decision.by.id, note=decision.note)
    return case.model_copy(
        update={
            "state": CaseState(decision.outcome.value),
            "category": decision.category,
            "decision": decision,
            "closed_at": decision.at,
            "lease": None,
            "history": add_history_entry(case, entry),
            "version": case.version + 1,
        }
    )
