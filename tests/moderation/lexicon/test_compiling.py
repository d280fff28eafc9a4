"""Compiling a lexicon in a process of its own."""

import shutil
import sys

import pytest

from huiqun.work.retry import is_transient
from moderation.lexicon.handlers import shipped_background, shipped_words
from moderation.lexicon.matching.compilation import compile_automata
from moderation.lexicon.matching.compiler_process import CompilerEndedError, compile_in_subprocess
from moderation.lexicon.matching.matcher import Lexicon
from moderation.lexicon.matching.words import Word

WORDS = shipped_words()
TEXTS = (*shipped_background(), *(f"请{word.text}吧" for word in WORDS), "佳威欣", "jia wei xin", "力口微信", "➕v❤")


def test_what_is_compiled_elsewhere_finds_the_same() -> None:
    here = Lexicon(WORDS, fuzzy=1, background=shipped_background())
    elsewhere = Lexicon(WORDS, fuzzy=1, automata=compile_in_subprocess(WORDS, shipped_background()))
    assert elsewhere.scan_texts(TEXTS) == here.scan_texts(TEXTS)


def test_automata_are_the_same_after_being_packed() -> None:
    for automaton in compile_automata(WORDS, shipped_background(), fuzzy=True):
        unpacked = type(automaton).unpack(automaton.normal_form, automaton.pack())
        assert unpacked.pack() == automaton.pack()


@pytest.mark.parametrize("words", [(), WORDS * 20])
def test_a_compiler_that_ends_too_soon_is_an_error_that_passes(
    words: tuple[Word, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(CompilerEndedError, match="exit status 1"):
        compile_in_subprocess(words, ())
    assert is_transient(CompilerEndedError())
