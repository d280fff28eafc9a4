"""The metrics of CRM synchronisation, each with the question it answers."""

from typing import Final

from prometheus_client import Counter

from huiqun.telemetry.metrics import export_from_zero

STUBS: Final = Counter(
    "huiqun_crm_customer_stubs_total",
    "How often does a customer appear, and how often do two turn out to be one? Changes: created, merged.",
    ["change"],
)
export_from_zero(STUBS, change=["created", "merged"])
