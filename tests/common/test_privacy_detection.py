"""Finding personal data in what people write."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from huiqun.privacy.detection import (
    PersonalData,
    PersonalDataKind,
    canonical_value,
    find_personal_data,
    is_bank_card,
    is_id_card,
)

ID_CARD = "11010519491231002X"
BANK_CARD = "6222021234567890128"
MOBILE = "13812345678"


def found(text: str) -> list[tuple[str, str]]:
    return [(find.kind.value, canonical_value(text, find)) for find in find_personal_data(text)]


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (f"我的身份证{ID_CARD}谢谢", "id_card", ID_CARD),
        ("身份证 110105 19491231 002x 请查", "id_card", ID_CARD),
        ("１１０１０５１９４９１２３１００２Ｘ", "id_card", ID_CARD),
        (f"卡号{BANK_CARD}", "bank_card", BANK_CARD),
        ("6222 0212 3456 7890 128 丢了", "bank_card", BANK_CARD),
        ("6222-0212-3456-7890-128", "bank_card", BANK_CARD),
        ("visa 4111 1111 1111 1111", "bank_card", "4111111111111111"),
        (f"打我电话{MOBILE}", "mobile", MOBILE),
        ("138 1234 5678", "mobile", MOBILE),
        ("138-1234-5678", "mobile", MOBILE),
        ("1 3 8 1 2 3 4 5 6 7 8", "mobile", MOBILE),
        ("①③⑧①②③④⑤⑥⑦⑧", "mobile", MOBILE),
        ("+86 138 1234 5678", "mobile", MOBILE),
        ("8613812345678", "mobile", MOBILE),
        ("邮箱zhang.san@bank.com.cn哦", "email", "zhang.san@bank.com.cn"),
        ("Zhang＠163．com", "email", "zhang@163.com"),
    ],
)
def test_personal_data_is_found_as_people_write_it(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "今天的利率是3.25%，存10000元一年",
        "110105194912310021",  # wrong checksum, and no card either
        "110105194902300029",  # 30 February
        "6222021234567890123",  # fails Luhn
        "订单号20240115123456789012345",
        "12812345678",  # no mobile starts with 128
        "2024-01-15 12:30:00",
        "2024-01-15 12-30-00-123",
        "@所有人 明天上午十点",
        "@张三 a@b",
        "电话 400-123-4567",
        "95588",
    ],
)
def test_ordinary_numbers_are_left_alone(text: str) -> None:
    assert find_personal_data(text) == []


def test_a_find_that_is_card_and_id_at_once_is_an_id_card() -> None:
    both = next(
        candidate
        for serial in range(1000)
        for check in "0123456789"
        if is_id_card(candidate := f"62220119900307{serial:03d}{check}") and is_bank_card(candidate)
    )
    assert found(f"号码{both}") == [("id_card", both)]


def test_a_number_inside_an_email_belongs_to_the_email() -> None:
    assert found("13812345678@qq.com") == [("email", "13812345678@qq.com")]


def test_several_finds_come_in_order_with_spans_of_the_original() -> None:
    text = f"我{MOBILE}，卡{BANK_CARD}，身份证{ID_CARD}"
    finds = find_personal_data(text)
    assert [text[find.start : find.end] for find in finds] == [MOBILE, BANK_CARD, ID_CARD]


def test_two_numbers_with_only_a_space_between_are_both_found() -> None:
    assert found(f"{BANK_CARD} {MOBILE}") == [("bank_card", BANK_CARD), ("mobile", MOBILE)]


def test_a_find_does_not_carry_the_value() -> None:
    assert MOBILE not in repr(find_personal_data(MOBILE))
    assert find_personal_data(MOBILE) == [PersonalData(PersonalDataKind.MOBILE, 0, 11, 1.0)]


@given(
    st.text(alphabet="客户您好，谢", max_size=5),
    st.sampled_from([ID_CARD, BANK_CARD, MOBILE]),
    st.booleans(),
    st.text(alphabet="元吗。！", max_size=5),
)
def test_a_number_is_found_wherever_it_stands(before: str, number: str, wide: bool, after: str) -> None:
    text = before + (full_width(number) if wide else number) + after
    finds = find_personal_data(text)
    assert [(find.start, find.end) for find in finds] == [(len(before), len(before) + len(number))]
    assert canonical_value(text, finds[0]) == number


@given(st.text(alphabet=st.characters(), max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    for find in find_personal_data(text):
        assert 0 <= find.start < find.end <= len(text)


@pytest.mark.parametrize("text", ["1 " * 50_000, "a" * 100_000, "@" * 100_000, "1" * 100_000, "a@" * 50_000])
def test_long_and_hostile_texts_come_to_an_end(text: str) -> None:
    find_personal_data(text)
