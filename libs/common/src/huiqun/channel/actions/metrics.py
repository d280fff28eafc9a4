"""What is counted of actions; only a process that follows some exports it."""

from typing import Final

from prometheus_client import Counter

FOLLOW_UPS: Final = Counter(
    "huiqun_action_follow_ups_total",
    "How often did an action have to be repeated, reminded of, escalated, handed over, concluded or given up?",
    ["step"],
)
