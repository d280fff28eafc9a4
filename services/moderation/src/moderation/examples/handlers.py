"""Keep what people decided on which text."""

from huiqun.contracts.moderation import CaseKind
from huiqun.work import Work
from moderation.cases.model import Case, CaseDecision
from moderation.examples import store
from moderation.examples.model import example_of_decision


async def keep_example(work: Work, case: Case, decision: CaseDecision) -> None:
    """Keep a decided case as an example, where it holds what somebody wrote."""
    if case.text and case.kind is not CaseKind.UNREADABLE:  # what that one shows is a text of ours
        await store.insert_example(work, example_of_decision(case, decision))
