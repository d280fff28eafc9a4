"""Counts by name, as a terminal shows them."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from rich.text import Text

from huiqun.cli.terminal import printable_text

#: By verdict.
COLOURS: Final = {"allow": "green", "warn": "yellow", "review": "magenta", "block": "red"}


def format_counts(numbers: Counter[str], colours: dict[str, str] | None = None) -> Text:
    """Numbers as people read them, the largest first, each before what it counts; `colours` by name."""
    parts: Iterator[tuple[str, str]] = (
        (f"{number:,} {name}", (colours or {}).get(name, "")) for name, number in numbers.most_common()
    )
    return Text("  ").join(printable_text(words, colour) for words, colour in parts)
