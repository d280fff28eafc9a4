"""Folding a text to one spelling, and finding the way back."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from moderation.lexicon.matching.folding import (
    FOLDED,
    STRIPPED,
    fold_text,
    join_texts,
    list_offsets,
    replace_unmapped,
    strip_text,
)
from moderation.lexicon.matching.folding_tables import SEPARATOR

ANY_TEXT = st.text(alphabet=st.characters(), max_size=60)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("加ＶＸ", "加vx"),
        ("加Ⓥ🅥ⓧ🇽", "加vvxx"),
        ("①❷③1️⃣", "1231"),
        ("髮票貸款", "发票贷款"),
        ("微\u200b\u2060\ufeff信", "微信"),
        ("微\u0336信\u20dd", "微信"),
        ("微\U000e0101信", "微信"),
        ("ｶﾞ㎏", "カkg"),
        ("ᴠx øł", "vx ol"),
        ("㊙️", "秘"),
        ("ﬁ", "fi"),
        ("a\u3000b\tc", "a b c"),
    ],
)
def test_disguises_fold_to_plain_characters(written: str, folded: str) -> None:
    assert fold_text(written) == folded


def test_stripping_drops_symbols_spaces_and_emoji() -> None:
    assert strip_text("加·微 🙂信！！ v❤") == "加微信v"


def test_every_character_folds_to_something_that_stays() -> None:
    every = "\n".join(chr(code) for code in range(0x110000))
    once = fold_text(every)
    assert fold_text(once) == once
    assert strip_text(once) == strip_text(every) == strip_text(strip_text(every))


@given(ANY_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)
    assert strip_text(fold_text(text)) == strip_text(text)


@given(ANY_TEXT)
def test_folded_text_can_always_be_encoded(text: str) -> None:
    fold_text(text).encode()
    strip_text(text).encode()


@given(ANY_TEXT, st.sampled_from([FOLDED, STRIPPED]))
def test_each_folded_character_comes_from_its_origin(text: str, table: list[int | str | None]) -> None:
    text = replace_unmapped(text)
    folded = text.translate(table)
    origins = list_offsets(text, table)
    assert len(origins) == len(folded)
    assert origins == sorted(origins)
    assert all(char in text[at].translate(table) for char, at in zip(folded, origins, strict=True))


@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_a_joined_batch_comes_apart_into_its_texts(texts: list[str]) -> None:
    assert join_texts(texts).translate(FOLDED).split(SEPARATOR) == [fold_text(text) for text in texts]
    assert join_texts(texts).translate(STRIPPED).split(SEPARATOR) == [strip_text(text) for text in texts]
