"""Texts mask personal data on entry or refuse it; names and platform ids are sealed."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from huiqun.contracts.catalog import decode_event, encode_event
from huiqun.contracts.channel import Member, MemberJoined
from huiqun.contracts.topics import CHANNEL_MEMBERS
from huiqun.privacy.detection import find_personal_data
from huiqun.privacy.names import PersonName, PlatformId
from huiqun.privacy.text import ComparedText, MaskedText, RawText, mask_text, mask_values
from huiqun.testing.events import NOON

MOBILE, CARD = "13812345678", "6222021001122334409"


class Written(BaseModel):
    note: Annotated[str, MaskedText(max_length=40, strip_whitespace=True)] = ""
    title: Annotated[str, MaskedText(min_length=1)] | None = None
    labels: dict[Annotated[str, MaskedText()], str] = {}
    phrase: Annotated[str, ComparedText(max_length=20, pattern=r"^\S+$")] = ""
    sample: Annotated[str, RawText(max_length=20)] = ""
    name: PersonName = PersonName()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"打{MOBILE}", "打138****5678"),
        ("138 1234-5678", "138 ****-5678"),
        ("１３８１２３４５６７８", "１３８****５６７８"),
        (f"卡{CARD}", "卡6222***********4409"),
        ("给zhang.san@bank.com", "给z********@bank.com"),
        ("11010519491231002X", "110***********002X"),
        ("  存10000元一年  ", "存10000元一年"),
    ],
)
def test_prose_is_masked_however_its_numbers_are_written(text: str, kept: str) -> None:
    assert Written(note=text).note == kept
    assert Written(title=f"{text.strip()}", labels={text.strip(): "x"}).title == kept
    assert list(Written(labels={text.strip(): "x"}).labels) == [kept]


@given(st.text(st.sampled_from("0123456789Xx@ab.-  １２３"), max_size=60))
def test_what_has_been_masked_holds_nothing_more_to_mask(text: str) -> None:
    masked = mask_text(text)
    assert find_personal_data(masked) == []
    assert len(masked) == len(text)
    assert mask_text(masked) == masked


def test_two_numbers_whose_rest_looks_like_a_third_are_masked_again() -> None:
    text = f"{MOBILE[:7]}1381 2345678"
    assert find_personal_data(mask_text(text)) == []


def test_limits_count_what_was_written() -> None:
    with pytest.raises(ValidationError):
        Written(note="长" * 41)
    with pytest.raises(ValidationError):
        Written(title="")
    assert Written.model_json_schema()["properties"]["note"]["maxLength"] == 40


@pytest.mark.parametrize("text", [MOBILE, "１３８１２３４５６７８", "138-1234-5678", "a@b.com"])
def test_what_is_compared_refuses_personal_data_without_quoting_it(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Written(phrase=text)
    (fault,) = refusal.value.errors()
    assert fault["msg"].startswith("must not contain")
    assert text not in fault["msg"]
    assert Written(phrase="我已阅读并同意").phrase == "我已阅读并同意"


def test_what_is_judged_stays_as_it_is() -> None:
    assert Written(sample=MOBILE).sample == MOBILE


def test_the_schema_says_what_becomes_of_personal_data() -> None:
    said = {name: field.get("x-personal-data") for name, field in Written.model_json_schema()["properties"].items()}
    expected = {"note": "masked", "phrase": "refused", "sample": "raw", "name": "sealed"}
    assert {name: said[name] for name in expected} == expected


def test_a_name_is_seen_only_by_who_reveals_it() -> None:
    written = Written(name=PersonName(f"王小明{MOBILE}"))
    for shown in (str(written), repr(written), f"{written.name}", f"{written.name:>20}", written.model_dump_json()):
        assert "王小明" not in shown
        assert "[name]" in shown
    assert str(written.model_dump()) == str(written.model_dump())
    assert "王小明" not in str(written.model_dump())
    assert written.name.reveal() == "王小明138****5678"
    assert (str(PersonName()), bool(PersonName()), bool(written.name)) == ("", False, True)


def test_names_compare_and_are_refused_like_texts() -> None:
    assert PersonName("王") == PersonName("王") != PersonName("李")
    assert len({PersonName("王"), PersonName("王"), PlatformId("王")}) == 2
    assert Written(name="王").name == PersonName("王")
    with pytest.raises(ValidationError):
        Written(name="王" * 257)


def test_names_leave_only_on_the_topics_of_the_channel() -> None:
    data = Member(group_id="g1", member_id="u1", display_name="王小明", external_ids={"unionid": "union-1"})
    event = MemberJoined.create("g1", data, time=NOON)
    assert "王小明".encode() in encode_event(event)
    assert decode_event(CHANNEL_MEMBERS, encode_event(event)) == event
    assert "王小明" not in event.model_dump_json()
    assert "union-1" not in event.model_dump_json()
    assert data.external_ids["unionid"].reveal() == "union-1"


def test_values_of_any_shape_are_masked_but_for_ids_of_ours() -> None:
    digest, own = "4bf92f3577b34da6a3ce13812345678e", "review-4bf92f3577b34da6a3ce13812345678e"
    told = {"a": [MOBILE, {"b": f"x {CARD}"}], MOBILE: 1, "hash": digest, "id": own, "n": None}
    assert mask_values(told) == {
        "a": ["138****5678", {"b": "x 6222***********4409"}],
        "138****5678": 1,
        "hash": digest,
        "id": own,
        "n": None,
    }
