"""Judging a message: pure functions of the message, its policy, the member's standing and the evidence in the text."""

from moderation.screening.model.decision import Decision, judge
from moderation.screening.model.evidence import Evidence, gather

__all__ = ["Decision", "Evidence", "gather", "judge"]
