"""Log lines are JSON objects with their trace and without secrets."""

import asyncio
import gc
import io
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiokafka.errors import KafkaError

from huiqun.store import DuplicateKey
from huiqun.telemetry import configure_logs, describe_error, start_span


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


def test_personal_data_is_masked_in_every_field_but_ids_of_ours_stay(lines: Lines) -> None:
    trace = "4bf92f3577b34da6a3ce13812345678e"
    structlog.get_logger("a").info("打13812345678", text=["138 1234 5678"], member="13812345678", id=trace)
    logging.getLogger("b").warning("to %s", "zhang@bank.com", extra={"card": "6222021001122334409"})
    first, second = lines.read()
    assert (first["event"], first["text"], first["member"]) == ("打138****5678", ["138 **** 5678"], "138****5678")
    assert first["id"] == trace
    assert (second["event"], second["card"]) == ("to z****@bank.com", "6222***********4409")


def test_errors_are_told_by_kind_and_place_and_never_by_message(lines: Lines) -> None:
    try:
        try:
            int(f"植名{1}号")
        except ValueError as error:
            raise LookupError(f"no {error}") from error
    except LookupError:
        structlog.get_logger("a").exception("failed")
        logging.getLogger("b").exception("failed")
        structlog.get_logger("c").error("failed", exc_info=ExceptionGroup("植名2号", [ValueError("植名3号")]))
    assert "植名" not in lines.stream.getvalue()
    ours, theirs, group = lines.read()
    for line in (ours, theirs):
        assert line["exception"].index("ValueError") < line["exception"].index("LookupError")
        assert f'{Path(__file__).name}", line' in line["exception"]
        assert "in test_errors_are_told" in line["exception"]
    assert "ValueError" in group["exception"]
    assert "ExceptionGroup" in group["exception"]


def test_an_error_of_ours_says_what_its_docstring_says(lines: Lines) -> None:
    class RefusedError(Exception):
        """The request is not what we take."""

    structlog.get_logger("a").error("failed", exc_info=RefusedError("植名1号"))
    (line,) = lines.read()
    assert line["exception"].endswith("RefusedError: The request is not what we take.")


async def test_what_asyncio_and_warnings_say_holds_no_values(lines: Lines) -> None:
    async def fail() -> None:
        raise ValueError("植名1号")

    loop = asyncio.get_running_loop()
    task = loop.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    loop.call_exception_handler({"message": "Exception in callback f('植名2号')", "exception": ValueError("植名3号")})
    logging.captureWarnings(capture=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("input_value='植名4号'", stacklevel=1)
    finally:
        logging.captureWarnings(capture=False)
    written = [line["event"] for line in lines.read()]
    assert written[:2] == ["Task exception was never retrieved", "Exception in callback f"]
    assert "植名" not in lines.stream.getvalue()


def test_libraries_do_not_tell_of_documents_and_addresses_at_any_level(lines: Lines) -> None:
    configure_logs("moderation", "debug", lines.stream)
    for name in ("httpx", "asyncio"):
        logging.getLogger(name).info("植名1号")
    for name in ("pymongo.command", "httpx", "aiokafka.conn", "asyncio"):
        logging.getLogger(name).debug("植名1号")
    assert lines.stream.getvalue() == ""
    logging.getLogger("aiokafka.conn").warning("lost")
    assert len(lines.read()) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("植名1号"), "ValueError"),
        (OSError(28, "No space left", "植名1号"), "OSError ENOSPC"),
        (DuplicateKey("植名1号", 11000, {"keyValue": {"_id": "植名1号"}}), "DuplicateKeyError 11000"),
        (KafkaError("植名1号"), "KafkaError"),
    ],
)
def test_an_error_is_described_by_kind_and_code(error: Exception, said: str) -> None:
    assert describe_error(error) == said
