"""Masking personal data and hashing it for matching."""

import hypothesis.strategies as st
from hypothesis import given

from huiqun.privacy.detection import canonical_value, find_personal_data
from huiqun.privacy.masking import keyed_hash, mask_spans


def masked(text: str) -> str:
    return mask_spans(text, find_personal_data(text))


def test_masks_keep_what_the_owner_recognises() -> None:
    assert masked("打13812345678") == "打138****5678"
    assert masked("138 1234 5678") == "138 **** 5678"
    assert masked("11010519491231002X") == "110***********002X"
    assert masked("6222 0212 3456 7890 128") == "6222 **** **** ***0 128"
    assert masked("zhang.san@bank.com") == "z********@bank.com"
    assert masked("+86 13812345678") == "+86 138****5678"


def test_a_text_without_finds_is_returned_as_it_was() -> None:
    assert masked("存10000元一年") == "存10000元一年"


@given(
    st.sampled_from(["11010519491231002X", "6222021234567890128", "13812345678", "li@bank.com"]),
    st.sampled_from(["", " ", "-", "　"]),
    st.integers(3, 7),
    st.text(alphabet="您好客户，", max_size=6),
)
def test_no_mask_leaks_the_whole_number(value: str, gap: str, size: int, around: str) -> None:
    grouped = value if "@" in value else gap.join(value[at : at + size] for at in range(0, len(value), size))
    text = around + grouped + around
    finds = find_personal_data(text)
    hidden = mask_spans(text, finds)
    if finds:
        assert len(hidden) == len(text)
        assert canonical_value(text, finds[0]) not in hidden.replace(gap or " ", "")
        assert find_personal_data(hidden) == [] or "@" in value


@given(st.text(alphabet=st.characters(), max_size=100))
def test_a_mask_changes_only_the_finds(text: str) -> None:
    finds = find_personal_data(text)
    hidden = mask_spans(text, finds)
    inside = {at for find in finds for at in range(find.start, find.end)}
    assert all(hidden[at] == text[at] for at in range(len(text)) if at not in inside)


def test_spellings_of_one_number_have_one_hash_and_another_key_another() -> None:
    spellings = ["13812345678", "138-1234-5678", "１３８１２３４５６７８"]
    values = {canonical_value(text, find_personal_data(text)[0]) for text in spellings}
    assert len({keyed_hash(value, b"key") for value in values}) == 1
    assert keyed_hash("13812345678", b"key") != keyed_hash("13812345678", b"other")
    assert len(keyed_hash("\ud800", b"key")) == 64
