"""The words Huiqun comes with, one CSV file per category, and the benign texts that fuzzy keys are tried on."""

from collections.abc import Mapping
from importlib.resources import files

from huiqun.files.reading import RowFormat
from moderation.lexicon.model.rows import parse_words
from moderation.lexicon.model.words import CATEGORIES, STAFF_CATEGORIES, Word

SHIPPED_LIST = "huiqun"
# A list of its own: what fraudsters say to customers, staff may not say either, and a list has each word once.
SHIPPED_STAFF_LIST = "huiqun-staff"
SHIPPED_LISTS: Mapping[str, tuple[str, ...]] = {SHIPPED_LIST: CATEGORIES, SHIPPED_STAFF_LIST: STAFF_CATEGORIES}


def shipped_words(list_name: str = SHIPPED_LIST) -> tuple[Word, ...]:
    """Read a shipped list; raise ValueError, naming file and line, if a row of it is unfit."""
    words: list[Word] = []
    for category in SHIPPED_LISTS[list_name]:
        content = files(__package__).joinpath("data", f"{category}.csv").read_text(encoding="utf-8")
        read = parse_words(content, RowFormat.CSV, list_name)
        if read.faults:
            raise ValueError(f"{category}.csv: {read.faults[0]}")
        words.extend(read.records)
    return tuple(words)


def shipped_background() -> tuple[str, ...]:
    """Read what customers of a bank write every day and no rule should object to."""
    return tuple(files(__package__).joinpath("data", "background.txt").read_text(encoding="utf-8").splitlines())
