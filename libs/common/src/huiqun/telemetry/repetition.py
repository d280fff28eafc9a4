"""Keeps one cause from filling the log: a driver that cannot connect says so ten times a second."""

import logging
import time
from typing import Final

_QUIET_SECONDS: Final = 30.0
_MOST_REMEMBERED: Final = 1_000


class RepetitionFilter(logging.Filter):
    """Lets a warning of the drivers through once in 30 s, and then says how often it was left out.

    What they tell without warning, such as a rebalance, comes as often as it happens.
    """

    def __init__(self, *, quiet_seconds: float = _QUIET_SECONDS) -> None:
        super().__init__()
        self._quiet_seconds = quiet_seconds
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the line; the template counts, not what stands in it."""
        if not record.name.startswith(("aiokafka", "pymongo")) or record.levelno < logging.WARNING:
            return True
        key, now = (record.name, record.levelno, str(record.msg)[:200]), time.monotonic()
        since, left_out = self._said.get(key, (float("-inf"), 0))
        if now - since < self._quiet_seconds:
            self._said[key] = (since, left_out + 1)
            return False
        if len(self._said) >= _MOST_REMEMBERED:
            self._said.clear()
        self._said[key] = (now, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} times before)", ()
        return True
