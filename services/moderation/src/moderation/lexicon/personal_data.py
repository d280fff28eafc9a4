"""What lexicons hold of people: nothing, unless an operator puts somebody's number on a list."""

from collections.abc import Mapping
from typing import Final

from moderation.lexicon.store import LISTS, WORDS

NOTHING_HELD: Final[Mapping[str, str]] = {
    WORDS: "words; an operator who puts a person's number on a list takes it off again",
    LISTS: "names of lists",
}
