"""What is counted of calls to other systems; only a process that calls some exports it."""

from typing import Final

from prometheus_client import Counter, Histogram

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

CLIENT_REQUESTS: Final = Counter(
    "huiqun_client_requests_total",
    "How do other systems answer us? Outcomes: the status, error (no answer), refused (their breaker is open).",
    ["client", "endpoint", "outcome"],
)
CLIENT_SECONDS: Final = Histogram(
    "huiqun_client_request_seconds",
    "How long do other systems let us wait?",
    ["client", "endpoint"],
    buckets=_SECONDS,
)
