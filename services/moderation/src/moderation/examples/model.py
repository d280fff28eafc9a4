"""A labelled example: a masked text, and what a person called it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.contracts.moderation import CaseOutcome
from moderation.cases.model import Case, CaseDecision

#: The label of a text in which a person found nothing wrong.
CLEAN_LABEL: Final = "clean"


@dataclass(frozen=True, slots=True)
class LabelledExample:
    """A masked text and what a person called it: a category, or CLEAN_LABEL. Ids rise with time."""

    text: str
    label: str
    suggested: str
    case_id: str
    kind: str
    policy: str
    decided_by: str
    decided_at: datetime
    id: str = ""


def example_of_decision(case: Case, decision: CaseDecision) -> LabelledExample:
    """What a decision says of the text of its case."""
    return LabelledExample(
        text=case.text,
        label=CLEAN_LABEL if decision.outcome is CaseOutcome.REVERSED else decision.category,
        suggested=case.category,
        case_id=case.id,
        kind=case.kind.value,
        policy=case.policy,
        decided_by=decision.by.id,
        decided_at=decision.at,
    )
