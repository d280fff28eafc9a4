"""The shared metrics say what they are good for."""

from prometheus_client import Counter, Gauge, Histogram

from huiqun.telemetry import metrics


def test_every_metric_asks_the_question_it_answers() -> None:
    declared = [value for value in vars(metrics).values() if isinstance(value, Counter | Gauge | Histogram)]
    assert len(declared) > 10
    for metric in declared:
        (family,) = metric.collect()
        assert family.name.startswith("huiqun_")
        assert "?" in family.documentation, family.name
