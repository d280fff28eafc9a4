"""The metrics of surveys, each with the question it answers."""

from typing import Final

from prometheus_client import Counter

from huiqun.telemetry.metrics import initialize_series

ELIGIBILITY_CHANGES: Final = Counter(
    "huiqun_survey_eligibility_changes_total",
    "How often do members become eligible for surveys, or cease to be, and for which reason?",
    ["now"],
)
initialize_series(
    ELIGIBILITY_CHANGES, now=["eligible", "not_a_customer", "removed", "left", "group_dismissed", "silent"]
)
