"""The metrics of engagement, each with the question it answers."""

from typing import Final

from prometheus_client import Counter

from huiqun.telemetry.metrics import initialize_series

COUNTED_MESSAGES: Final = Counter(
    "huiqun_engagement_messages_total",
    "How much of what members write counts as activity? Edits and messages that were not allowed do not.",
    ["counted"],
)
initialize_series(COUNTED_MESSAGES, counted=["yes", "no"])
