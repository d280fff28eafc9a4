"""Compiles a lexicon in a process of its own, so that the one that judges messages goes on undisturbed."""

import gc
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import IO, Final, cast

from moderation.lexicon.matching.automaton import PatternAutomaton
from moderation.lexicon.matching.compilation import compile_automata
from moderation.lexicon.matching.normal_forms import NORMAL_FORMS
from moderation.lexicon.matching.words import Word

# So many words are packed in a fraction of a millisecond: no longer than that, other threads wait for this one.
_AT_ONCE: Final = 1_000


class CompilerEndedError(ConnectionError):
    """The process that compiles the lexicon has ended before it was done."""


def compile_in_subprocess(
    words: Sequence[Word],
    background: Sequence[str],
    on_start: Callable[["subprocess.Popen[bytes]"], None] | None = None,
) -> list[PatternAutomaton]:
    """Compile the automata of all normal forms elsewhere. Blocks this thread; raises CompilerEndedError.

    `on_start` is given the process, so that it can be killed when it is not wanted any more.
    """
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ourselves
        if on_start is not None:
            on_start(process)
        to, source = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            _send(words, background, to)
            return [PatternAutomaton.unpack(normal_form, pickle.load(source)) for normal_form in NORMAL_FORMS]  # noqa: S301 - our own
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            with suppress(BrokenPipeError):
                to.close()  # with what was still to be sent
            raise CompilerEndedError(f"exit status {process.wait()}") from error


def _send(words: Sequence[Word], background: Sequence[str], to: IO[bytes]) -> None:
    """Send what compiling needs: of each word, the text and the phrases that excuse it."""
    rows = ((word.text, word.allow) for word in words)
    while chunk := list(islice(rows, _AT_ONCE)):
        pickle.dump(chunk, to)
    pickle.dump([], to)
    pickle.dump(list(background), to)
    to.close()


def _receive(source: IO[bytes]) -> tuple[list[Word], list[str]]:
    words: list[Word] = []
    while chunk := pickle.load(source):  # noqa: S301 - comes from the process that started this one
        words.extend(Word("", text, "", allow=allow) for text, allow in chunk)
    return words, pickle.load(source)  # noqa: S301


def main() -> None:
    """Read words and background from standard input, and write the automata to standard output."""
    gc.disable()  # all of it is needed to the end, and the end is near
    words, background = _receive(sys.stdin.buffer)
    for automaton in compile_automata(words, background, fuzzy=True):
        pickle.dump(automaton.pack(), sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
