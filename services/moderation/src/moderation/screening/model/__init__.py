"""Judging a message: pure functions of the message, its policy, the member's standing and the evidence in the text."""

from moderation.screening.model.decision import Decision, judge
from moderation.screening.model.evidence import Evidence, gather
from moderation.screening.model.mode_rule import MODE_RULE
from moderation.screening.model.pieces import add_joined_words, windows_of
from moderation.screening.model.resemblance import add_resemblance

__all__ = [
    "MODE_RULE",
    "Decision",
    "Evidence",
    "add_joined_words",
    "add_resemblance",
    "gather",
    "judge",
    "windows_of",
]
