"""Compiling a lexicon in a process of its own."""

import shutil
import sys

import pytest

from huiqun.work.retry import is_transient
from moderation.lexicon.compiling import CompilerEndedError, compile_apart
from moderation.lexicon.model.keys import compile_layers
from moderation.lexicon.model.matching import Lexicon
from moderation.lexicon.model.words import Word
from moderation.lexicon.shipped import shipped_background, shipped_words

WORDS = shipped_words()
TEXTS = (*shipped_background(), *(f"请{word.text}吧" for word in WORDS), "佳威欣", "jia wei xin", "力口微信", "➕v❤")


def test_what_is_compiled_elsewhere_finds_the_same() -> None:
    here = Lexicon(WORDS, fuzzy=1, background=shipped_background())
    elsewhere = Lexicon(WORDS, fuzzy=1, layers=compile_apart(WORDS, shipped_background()))
    assert elsewhere.scan(TEXTS) == here.scan(TEXTS)


def test_layers_are_the_same_after_being_packed() -> None:
    for layer in compile_layers(WORDS, shipped_background(), fuzzy=True):
        unpacked = type(layer).unpack(layer.reading, layer.pack())
        assert unpacked.pack() == layer.pack()


@pytest.mark.parametrize("words", [(), WORDS * 20])
def test_a_compiler_that_ends_too_soon_is_an_error_that_passes(
    words: tuple[Word, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(CompilerEndedError, match="exit status 1"):
        compile_apart(words, ())
    assert is_transient(CompilerEndedError())
