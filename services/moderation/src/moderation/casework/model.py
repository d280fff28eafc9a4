"""Who works on a case: one person at a time, for as long as their lease runs. No I/O."""

from datetime import datetime, timedelta

from moderation.cases.model import UNDECIDED, Case, CaseComment, CaseLease, Moderator

MAX_COMMENTS = 100


class CaseHeldError(RuntimeError):
    """Somebody else has claimed the case and still holds it."""


class CaseClosedError(RuntimeError):
    """The case has been decided."""


class CaseFullError(RuntimeError):
    """The case has as many comments as it can hold."""


class OwnDecisionError(RuntimeError):
    """An appeal against your own decision is for a colleague, or for an admin where there is none."""


def with_claim(case: Case, moderator: Moderator, now: datetime, minutes: int) -> Case:
    """The case in this person's hands, or for longer if it was already. Raises CaseHeldError, CaseClosedError."""
    check_decidable_by(case, moderator, now)
    return case.model_copy(update={"lease": CaseLease(holder=moderator, until=now + timedelta(minutes=minutes))})


def without_claim(case: Case, moderator: Moderator, now: datetime) -> Case:
    """The case in nobody's hands. Raises CaseHeldError, CaseClosedError."""
    check_decidable_by(case, moderator, now)
    return case.model_copy(update={"lease": None})


def with_comment(case: Case, moderator: Moderator, text: str, now: datetime) -> Case:
    """The case with a comment more; decided cases can be commented on too. Raises CaseFullError."""
    if len(case.comments) >= MAX_COMMENTS:
        raise CaseFullError(str(MAX_COMMENTS))
    added = (*case.comments, CaseComment(by=moderator, at=now, text=text))
    return case.model_copy(update={"comments": added, "version": case.version + 1})


def check_decidable_by(case: Case, moderator: Moderator, now: datetime) -> None:
    """Refuse what only whoever holds an undecided case may do. Raises CaseHeldError, CaseClosedError."""
    if case.state not in UNDECIDED:
        raise CaseClosedError(case.state.value)
    holder = case.holder_at(now)
    if holder is not None and holder.id != moderator.id:
        raise CaseHeldError(holder.name)
