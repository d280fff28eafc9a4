"""What lexicons hold of people: nothing, unless an operator puts somebody's number on a list."""

from moderation.lexicon.store import LISTS, WORDS

NOTHING_HELD = {
    WORDS: "words; an operator who puts a person's number on a list takes it off again",
    LISTS: "names of lists",
}
