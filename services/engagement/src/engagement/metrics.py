"""The metrics of engagement, each with the question it answers."""

from typing import Final

from prometheus_client import Counter

from huiqun.telemetry.metrics import export_from_zero

ACTIVITY: Final = Counter(
    "huiqun_engagement_messages_total",
    "How much of what members write counts as activity? Edits and messages that were not allowed do not.",
    ["counted"],
)
export_from_zero(ACTIVITY, counted=["yes", "no"])
