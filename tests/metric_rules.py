"""What a process may export: every metric that is declared, and of each label only a few values known before."""

import importlib
import re
from collections.abc import Collection, Iterator

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from huiqun.contracts.topics import SERVICES, TOPICS

Metric = Counter | Gauge | Histogram

_ERRORS = ("builtins", "pymongo.errors", "bson.errors", "aiokafka.errors", "ssl", "socket", "httpx")
_WORD = re.compile(r"[a-z][a-z_-]*(\.[a-z_-]+)*")

# Of these, a run shows only what has happened in it.
EXPORTED_WHEN_IT_HAPPENS = frozenset({"huiqun_retries", "huiqun_outbox_parked", "huiqun_moderation_shadow_findings"})

ALLOWED_LABEL_VALUES: dict[str, Collection[str] | re.Pattern[str]] = {
    "service": SERVICES,
    "version": re.compile(r"\d+\.\d+\.\d+"),
    "revision": ("unknown",),
    "python": re.compile(r"3\.\d+\.\d+\S*"),
    "consumer": (*SERVICES, "relay", "tasks", "request", "dead-letters"),
    "topic": [topic.name for topic in TOPICS],
    "queue": _WORD,
    "partition": [str(number) for number in range(12)],
    "stage": ("decode", "handle", "publish", "offsets"),
    "method": ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other", "any"),
    "route": re.compile(r"unknown|unmatched|(/[a-z0-9._-]+|/\{[a-z_]+\})+"),
    "status": re.compile(r"[1-5]\d\d"),
    "le": re.compile(r"[\d.]+|\+Inf"),
    **dict.fromkeys(("check", "reason", "outcome", "kind", "verdict", "step", "by", "what", "mode", "rule"), _WORD),
    **dict.fromkeys(("drill", "counted", "change", "now"), _WORD),
}


def declared_metrics(*modules: str) -> dict[str, Metric]:
    """The metrics of these modules by the name of their constant."""
    found = (item for module in modules for item in vars(importlib.import_module(module)).items())
    return {name: value for name, value in found if isinstance(value, Metric)}


def exported_name_of(metric: Metric) -> str:
    """What it is called in /metrics, without the ending of counters."""
    (family,) = metric.collect()
    return family.name


def find_metric_violations(expositions: Collection[str], *modules: str) -> list[str]:
    """What speaks against the /metrics of some processes that together do what these modules' metrics count."""
    families = [
        family
        for exposition in expositions
        for family in text_string_to_metric_families(exposition)
        if family.name.startswith("huiqun_")
    ]
    emitted = {family.name for family in families if family.samples}
    known = set(map(exported_name_of, declared_metrics(*modules).values()))
    missing = [f"{name} is declared and not emitted" for name in sorted(known - emitted - EXPORTED_WHEN_IT_HAPPENS)]
    strange = [f"{name} is emitted and not declared" for name in sorted(emitted - known)]
    labels = {wrong for family in families for sample in family.samples for wrong in _wrong_labels(sample)}
    return [*missing, *strange, *sorted(labels)]


def _wrong_labels(sample: Sample) -> Iterator[str]:
    for label, value in sample.labels.items():
        allowed = ALLOWED_LABEL_VALUES.get(label, ()) if label != "error" else list_public_errors()
        is_allowed = allowed.fullmatch(value) if isinstance(allowed, re.Pattern) else value in allowed
        if not is_allowed:
            yield f"{sample.name} has {label}={value!r}"


def list_public_errors() -> set[str]:
    """The names of errors that Python and the drivers document."""
    found = {name for module in _ERRORS for name in vars(importlib.import_module(module)) if not name.startswith("_")}
    return {*found, "other"}
