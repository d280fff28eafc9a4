"""Traces follow an event by its traceparent, cheaply, and reach a collector where one is configured."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from huiqun.telemetry import (
    child_traceparent,
    current_traceparent,
    parse_traceparent,
    start_span,
    start_tracing,
    stop_tracing,
)

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = SAMPLED[:-2] + "00"


class Collector:
    """A small OTLP receiver."""

    def __init__(self) -> None:
        self.spans: dict[str, tuple[str, str, str]] = {}
        self.exported = ""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def keep(self, request: ExportTraceServiceRequest) -> None:
        self.exported += str(request)
        for resource in request.resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans[span.name] = (service, span.trace_id.hex(), span.parent_span_id.hex())


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server.server_port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "moderation")
    yield collector
    stop_tracing()
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def test_a_child_keeps_the_trace_and_the_flags_and_gets_a_span_of_its_own() -> None:
    child = child_traceparent(SAMPLED)
    assert child[:36] == SAMPLED[:36]
    assert child[-3:] == "-01"
    assert child[36:52] != SAMPLED[36:52]
    assert parse_traceparent(child) is not None


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "",
        "00-zz-11-01",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        SAMPLED.replace("00f067aa0ba902b7", "0" * 16),
        "ff" + SAMPLED[2:],
        SAMPLED + "-more",
        SAMPLED + "\n",
        SAMPLED.upper(),
    ],
)
def test_a_malformed_parent_begins_a_new_trace(malformed: str | None) -> None:
    assert parse_traceparent(malformed) is None
    made = parse_traceparent(child_traceparent(malformed))
    assert made is not None
    assert made.trace_id not in (malformed or "")


def test_a_later_version_with_more_fields_is_continued_as_version_00() -> None:
    child = child_traceparent("cc" + SAMPLED[2:] + "-what-the-future-holds")
    assert child.startswith(SAMPLED[:36])
    assert len(child) == 55


@given(st.text(max_size=80))
def test_any_text_gives_a_valid_child(text: str) -> None:
    assert parse_traceparent(child_traceparent(text)) is not None


def test_without_an_endpoint_nothing_is_recorded_and_the_trace_is_still_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert start_tracing("moderation") is False
    with start_span("screen", SAMPLED) as span:
        assert span.traceparent[:36] == SAMPLED[:36]
        assert current_traceparent() == span.traceparent
    assert current_traceparent() is None


def test_sampled_steps_reach_the_collector_under_their_parents(collector: Collector) -> None:
    assert start_tracing("moderation") is True
    with start_span("screen", SAMPLED) as screen, start_span("archive"):
        pass
    start_span("unwanted", UNSAMPLED).end()
    stop_tracing()
    assert set(collector.spans) == {"screen", "archive"}
    service, trace_id, parent = collector.spans["screen"]
    assert (service, trace_id, parent) == ("moderation", SAMPLED[3:35], SAMPLED[36:52])
    assert collector.spans["archive"][1:] == (SAMPLED[3:35], screen.traceparent[36:52])


def test_the_standard_sampler_variable_decides_about_new_traces(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    assert start_tracing("moderation")
    with start_span("root") as root:
        pass
    stop_tracing()
    assert root.traceparent.endswith("-00")
    assert collector.spans == {}


def test_a_failed_step_is_ended_and_the_error_goes_on(collector: Collector) -> None:
    start_tracing("moderation")
    with pytest.raises(ValueError, match="broken"), start_span("screen", SAMPLED):
        raise ValueError("broken")
    stop_tracing()
    assert "screen" in collector.spans
    assert current_traceparent() is None


def test_a_failed_step_names_the_kind_of_its_error_and_not_the_message(collector: Collector) -> None:
    assert start_tracing("x")
    with pytest.raises(ValueError, match="plant"), start_span("fails"):
        raise ValueError("plant 13812345678")
    stop_tracing()
    assert "ValueError" in collector.exported
    assert "test_a_failed_step" in collector.exported
    assert "13812345678" not in collector.exported
