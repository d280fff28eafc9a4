"""The metrics of CRM synchronisation, each with the question it answers."""

from typing import Final

from prometheus_client import Counter

from huiqun.telemetry.metrics import initialize_series

STUBS: Final = Counter(
    "huiqun_crm_customer_stubs_total",
    "How often does an account appear (created), turn out to be another customer's (moved), does an id turn out to be "
    "shared by strangers (discredited), and does an event name nobody (passed_over)?",
    ["change"],
)
initialize_series(STUBS, change=["created", "merged"])
