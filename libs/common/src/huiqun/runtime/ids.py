"""Identifiers: time-ordered, unique across processes."""

import time
from random import getrandbits  # seeded by the system at start; ids are unique, not secret, and made by the thousand

_FRACTIONS = 4096
_last = 0


def new_id() -> str:
    """A UUID of version 7 (RFC 9562) as text: the milliseconds since 1970, their fraction, then 62 random bits.

    Ids of one process rise, also within a millisecond and when the clock is set back.
    """
    global _last  # noqa: PLW0603 - rising ids need to know the one before
    _last = max(time.time_ns() * _FRACTIONS // 1_000_000, _last + 1)
    milliseconds, fraction = divmod(_last, _FRACTIONS)
    variant = 0x8000000000000000 | getrandbits(62)
    text = f"{milliseconds:012x}{0x7000 | fraction:04x}{variant:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
