"""Log lines are JSON objects with their trace and without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from huiqun.telemetry import configure_logs, start_span


class Lines:
    """What has been logged."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    lines = Lines()
    configure_logs("moderation", "info", lines.stream)
    yield lines
    root.handlers = handlers
    root.setLevel(level)


def test_a_line_names_service_level_logger_and_trace(lines: Lines) -> None:
    with start_span("screen") as span:
        structlog.get_logger("moderation.screening").info("message screened", verdict="allow")
    (line,) = lines.read()
    assert line["event"] == "message screened"
    assert line["verdict"] == "allow"
    assert (line["service"], line["level"], line["logger"]) == ("moderation", "info", "moderation.screening")
    assert line["trace_id"] == span.traceparent[3:35]
    assert line["span_id"] == span.traceparent[36:52]
    assert line["timestamp"].endswith("Z")


def test_the_standard_librarys_loggers_speak_json_as_well(lines: Lines) -> None:
    logging.getLogger("aiokafka").warning("%s lost", "coordinator", extra={"node": 3})
    (line,) = lines.read()
    assert (line["event"], line["logger"], line["level"]) == ("coordinator lost", "aiokafka", "warning")
    assert line["node"] == 3


def test_lines_below_the_level_are_dropped(lines: Lines) -> None:
    structlog.get_logger("a").debug("detail")
    logging.getLogger("b").debug("detail")
    assert lines.read() == []


def test_secrets_are_blanked_by_name_however_deep(lines: Lines) -> None:
    structlog.get_logger("a").info(
        "calling",
        password="p1",
        headers={"Authorization": "Bearer abc.def", "accept": "text/html"},
        attempts=[{"client_secret": "p2", "access_token": "p3"}],
    )
    (line,) = lines.read()
    assert line["password"] == "[redacted]"
    assert line["headers"] == {"Authorization": "[redacted]", "accept": "text/html"}
    assert line["attempts"] == [{"client_secret": "[redacted]", "access_token": "[redacted]"}]


def test_secrets_are_blanked_inside_texts_and_tracebacks(lines: Lines) -> None:
    log = structlog.get_logger("a")
    log.info("connecting to mongodb://app:hunter2@db:27017/x")
    log.error("failed", exc_info=RuntimeError("refused: Bearer abc.def hq_k1_s3cret"))
    written = lines.stream.getvalue()
    assert "hunter2" not in written
    assert "abc.def" not in written
    assert "s3cret" not in written
    assert "mongodb://[redacted]@db:27017/x" in written
    assert "RuntimeError" in lines.read()[1]["exception"]


def test_values_json_cannot_hold_do_not_break_the_line(lines: Lines) -> None:
    structlog.get_logger("a").info("odd", text="\ud800", number=1 << 80, thing=object(), names={"x"})
    (line,) = lines.read()
    assert line["number"] == 1 << 80
    assert line["names"] == ["x"]


def test_a_warning_of_a_driver_comes_once_in_a_while_and_a_rebalance_each_time(
    lines: Lines,
) -> None:
    driver = logging.getLogger("aiokafka.consumer.group_coordinator")
    for number in range(3):
        driver.warning("Unable connect to node with id %s", number)
        driver.info("Setting newly assigned partitions %s", number)
    assert [line["event"].split()[0] for line in lines.read()] == ["Unable", "Setting", "Setting", "Setting"]
