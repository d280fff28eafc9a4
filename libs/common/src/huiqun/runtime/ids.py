"""Identifiers: time-ordered, unique across processes."""

import time
from random import getrandbits  # seeded by the system at start; ids are unique, not secret, and made by the thousand

_FRACTIONS = 4096
_VARIANT = 0x8000000000000000
_last = 0


def new_id() -> str:
    """A UUID of version 7 (RFC 9562) as text: the milliseconds since 1970, their fraction, then 62 random bits.

    Ids of one process rise, also within a millisecond and when the clock is set back.
    """
    global _last  # noqa: PLW0603 - rising ids need to know the one before
    now = time.time_ns() * _FRACTIONS // 1_000_000
    _last = now if now > _last else _last + 1
    # In hexadecimal: twelve digits of milliseconds, three of their fraction, and the version goes between.
    text = f"{_last:015x}{_VARIANT | getrandbits(62):x}"
    return "-".join((text[:8], text[8:12], "7" + text[12:15], text[15:19], text[19:]))
