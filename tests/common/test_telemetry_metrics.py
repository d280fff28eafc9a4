"""The declared metrics say what they are good for, all of them are used, and errors have names that anybody knows."""

import importlib
import re
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError, NodeNotReadyError
from prometheus_client import CollectorRegistry, Counter, generate_latest
from pymongo.errors import AutoReconnect, _OperationCancelled

import huiqun
from huiqun.kafka.publisher import EventTooLargeError
from huiqun.stream.handling import KeyExistsError
from huiqun.telemetry.metrics import error_label, initialize_series
from tests.metric_rules import declared_metrics, exported_name_of, list_public_errors

MODULES = ("huiqun.telemetry.metrics", "moderation.metrics", "engagement.metrics", "crm_sync.metrics", "survey.metrics")


@pytest.mark.parametrize("module", MODULES)
def test_every_metric_asks_the_question_it_answers(module: str) -> None:
    for metric in declared_metrics(module).values():
        (family,) = metric.collect()
        assert family.name.startswith("huiqun_")
        assert "?" in family.documentation, family.name


@pytest.mark.parametrize("module", MODULES)
def test_every_declared_metric_is_counted_somewhere(module: str) -> None:
    own = Path(importlib.import_module(module).__file__ or "")
    root = Path(huiqun.__file__).parent if module.startswith("huiqun.") else own.parent
    source = "\n".join(file.read_text(encoding="utf-8") for file in root.rglob("*.py") if file != own)
    source += own.read_text(encoding="utf-8").partition("def export_build")[2]
    for constant, metric in declared_metrics(module).items():
        assert re.search(rf"\b{constant}\s*\.\s*(labels|inc|set|observe)\(", source), exported_name_of(metric)


class OurOwnError(LookupError):
    """Nobody else knows of it."""


class _HiddenError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (TimeoutError(), "TimeoutError"),
        (AutoReconnect(), "AutoReconnect"),
        (_OperationCancelled("x"), "AutoReconnect"),
        (NodeNotReadyError(), "NodeNotReadyError"),
        (type("FromSomewhere", (KafkaError,), {})(), "KafkaError"),
        (OurOwnError(), "LookupError"),
        (KeyExistsError(), "RuntimeError"),
        (EventTooLargeError(), "ValueError"),
        (_HiddenError(), "other"),
        (Exception(), "other"),
        (ExceptionGroup("x", [ValueError()]), "other"),
        (None, "other"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_has_the_name_of_its_nearest_public_class(error: Exception | None, name: str) -> None:
    assert error_label(error) == name
    assert name in list_public_errors()


def test_what_is_exported_from_zero_stands_there_before_it_is_counted() -> None:
    registry = CollectorRegistry()
    initialize_series(Counter("x", "x?", ["a", "b"], registry=registry), a=["1", "2"], b=["3"])
    figures = generate_latest(registry).decode()
    assert 'x_total{a="1",b="3"} 0.0' in figures
    assert 'x_total{a="2",b="3"} 0.0' in figures
