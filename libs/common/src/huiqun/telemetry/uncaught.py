"""What Python would print about a process by itself, with all its values: warnings, and errors that nobody caught."""

import logging
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


def log_uncaught() -> None:
    """Log warnings and uncaught errors as everything is logged, for the rest of the process's life."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _on_error
    threading.excepthook = _on_stray
    sys.unraisablehook = _on_stray


def _on_error(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    _log.critical("error_uncaught", exc_info=error)


def _on_stray(stray: Any) -> None:  # noqa: ANN401 - two kinds of Python's own, one of which has no name
    _log.error("error_uncaught", exc_info=stray.exc_value)
