"""Identifiers: time-ordered, unique across processes."""

import time
from random import getrandbits  # seeded by the system at start; ids are unique, not secret, and made by the thousand


def new_id() -> str:
    """A UUID of version 7 (RFC 9562) as text: the milliseconds since 1970, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    version = 0x7000 | getrandbits(12)
    variant = 0x8000000000000000 | getrandbits(62)
    text = f"{milliseconds:012x}{version:04x}{variant:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
