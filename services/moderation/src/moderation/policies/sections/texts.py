"""Texts that an operator writes: words to members, phrases that members write, placeholders in braces."""

import string
from typing import Annotated, Any

from pydantic import AfterValidator

from huiqun.privacy.text import ComparedText, MaskedText

_LEAST_LETTERS = 2

Words = Annotated[str, MaskedText(min_length=1, max_length=2_000)]


def _check_phrase(phrase: str) -> str:
    if sum(map(str.isalnum, phrase)) < _LEAST_LETTERS:
        raise ValueError("a phrase has at least two letters, Han characters or digits")
    return phrase


Phrase = Annotated[str, ComparedText(max_length=40), AfterValidator(_check_phrase)]


def list_placeholders(text: str) -> set[str]:
    """Find the names in braces; ValueError where a brace stands alone or holds more than a name."""
    found = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            raise ValueError("only a plain name may stand in braces; write {{ and }} for the braces themselves")
        found.add(name)
    return found


def allow_placeholders(*names: str) -> Any:  # noqa: ANN401 - what pydantic looks for in Annotated
    """Mark a text in which these names may stand in braces, and no others."""

    def check(text: str) -> str:
        if unknown := sorted(list_placeholders(text) - set(names)):
            there_are = f"there are {', '.join(f'{{{name}}}' for name in names)}" if names else "there are none here"
            raise ValueError(f"nobody knows {{{unknown[0]}}}; {there_are}")
        return text

    return AfterValidator(check)
