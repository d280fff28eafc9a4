"""The words Huiqun comes with, one CSV file per category, and the benign texts that fuzzy keys are tried on."""

from importlib.resources import files

from moderation.lexicon.model.rows import read_csv
from moderation.lexicon.model.words import CATEGORIES, Word

SHIPPED_LIST = "huiqun"


def shipped_words() -> tuple[Word, ...]:
    """Read the shipped lexicon; raise ValueError, naming file and line, if a row of it is unfit."""
    words: list[Word] = []
    for category in CATEGORIES:
        content = files(__package__).joinpath("data", f"{category}.csv").read_text(encoding="utf-8")
        read = read_csv(content, SHIPPED_LIST)
        if read.errors:
            raise ValueError(f"{category}.csv: {read.errors[0]}")
        words.extend(read.words)
    return tuple(words)


def shipped_background() -> tuple[str, ...]:
    """Read what customers of a bank write every day and no rule should object to."""
    return tuple(files(__package__).joinpath("data", "background.txt").read_text(encoding="utf-8").splitlines())
