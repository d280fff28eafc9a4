"""Reading a whole batch at once says the same as reading its texts character by character."""

import re
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given

from moderation.lexicon.matching.folding import STRIPPED, list_offsets, replace_unmapped
from moderation.lexicon.matching.folding_tables import SEPARATOR
from moderation.lexicon.matching.lookalikes import map_lookalikes
from moderation.lexicon.matching.normal_forms import LOOKALIKE, PINYIN, PLAIN, NormalForm
from moderation.lexicon.matching.pinyin import SYLLABLES, is_pinyin_syllable, spell_pinyin
from moderation.lexicon.matching.text_batch import TextBatch

ODD = "加微信弓虽奸jiaweixnvV❤➕📱㎏№①ǆ\u200b\u0301\U000e0101\U0010ffff\ud800\0"
CHANGES = map_lookalikes()
SHAPES = [CHANGES.get(code, target) for code, target in enumerate(STRIPPED)]
Spans = list[tuple[int, int]]
TEXTS = st.lists(st.text(alphabet=st.characters() | st.sampled_from(ODD), max_size=30), max_size=6)


def plainly(text: str) -> tuple[str, Spans]:
    """The stripped text and where its characters stand, one after the other."""
    text = replace_unmapped(text)
    return text.translate(STRIPPED), [(at, at + 1) for at in list_offsets(text, STRIPPED)]


def by_look(text: str) -> tuple[str, Spans]:
    """The same by look."""
    text = replace_unmapped(text)
    read = ""
    spans: Spans = []
    for char, at in zip(text.translate(SHAPES), list_offsets(text, SHAPES), strict=True):
        if read.endswith(char):
            spans[-1] = (spans[-1][0], at + 1)
        else:
            read += char
            spans.append((at, at + 1))
    return read, spans


def by_ear(text: str) -> tuple[str, Spans]:
    """The same by sound: the longest syllable first, from the left."""
    stripped, places = plainly(text)
    longest_first = "|".join(sorted(SYLLABLES, key=len, reverse=True))
    read = ""
    spans: Spans = []
    for found in re.finditer(f"{longest_first}|.", stripped, re.DOTALL):
        letters = found[0]
        read += SYLLABLES[letters] if letters in SYLLABLES else heard(letters)
        spans.append((places[found.start()][0], places[found.end() - 1][1]))
    return read, spans


def heard(char: str) -> str:
    """A single character by sound; a letter that is no syllable is read as itself."""
    sounded = PINYIN.normalize(TextBatch([char])).text
    assert is_pinyin_syllable(sounded) == (spell_pinyin(char) != char)
    return sounded


@given(TEXTS)
@pytest.mark.parametrize(("normal_form", "one_by_one"), [(PLAIN, plainly), (LOOKALIKE, by_look), (PINYIN, by_ear)])
def test_a_batch_is_normalized_as_its_texts_are_one_by_one(
    normal_form: NormalForm, one_by_one: Callable[[str], tuple[str, Spans]], texts: list[str]
) -> None:
    batch = TextBatch(texts)
    read = normal_form.normalize(batch)
    expected = [one_by_one(text) for text in texts]
    assert read.text.split(SEPARATOR) == [said for said, _ in expected] or not texts
    at = 0
    for index, (said, spans) in enumerate(expected):
        shift = batch.start_of(index)
        assert shift == sum(len(text) + 1 for text in texts[:index])
        assert [read.text_at(at + place) for place in range(len(said))] == [index] * len(said)
        found = read.spans(at, at + len(said))
        assert [(start - shift, end - shift) for start, end in found] == spans
        at += len(said) + 1
