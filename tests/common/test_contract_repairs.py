"""What deviates from the contract and is still clear is taken in; what somebody said, who and when is never guessed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from huiqun.contracts.catalog import UndecodableError, decode_event, encode_event
from huiqun.contracts.channel import MessageKind, Purpose, Role, TextAvailability
from huiqun.contracts.channel.repairs import normalize_id
from huiqun.contracts.envelope import Event, Id
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.testing.events import group_created, group_listed, member_joined, message_allowed, message_received

ID: TypeAdapter[str] = TypeAdapter(Id)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def changed(event: Event, **fields: object) -> bytes:
    """The event's record with some fields of `data` replaced."""
    record = json.loads(encode_event(event))
    record["data"] |= fields
    return json.dumps(record).encode()


def taken(event: Event, **fields: object) -> Any:
    """What is made of it."""
    return decode_event(type(event).topic, changed(event, **fields)).data


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "长" * 300_000}, {"text": "长" * 300_000}),
        ({"url": "https://a.cn/" + "x" * 90_000}, {"url": "https://a.cn/" + "x" * 90_000}),
        ({"mentions": [f"u{n}" for n in range(3_000)]}, {"mentions": tuple(f"u{n}" for n in range(3_000))}),
        ({"mentions": ["u1", None, 7, "a b", ""]}, {"mentions": ("u1", "a~20b")}),
        ({"message_id": "m/1 2"}, {"message_id": "m~2F1~202"}),
        ({"kind": "channels_video"}, {"kind": MessageKind.OTHER}),
        ({"kind": None, "text": None, "url": None, "reply_to": ""}, {"kind": MessageKind.TEXT, "text": ""}),
        ({"duration_seconds": -1}, {"duration_seconds": 0}),
        ({"duration_seconds": 10**9}, {"duration_seconds": 86_400}),
        ({"duration_seconds": "long"}, {"duration_seconds": None}),
        ({"duration_seconds": float("nan")}, {"duration_seconds": None}),
        ({"reply_to": 7}, {"reply_to": None}),
        ({"text_availability": "none", "text": ""}, {"text_availability": TextAvailability.NONE}),
        ({"text_availability": "some"}, {"text_availability": TextAvailability.FULL}),
        ({"group_id": None}, {"group_id": "g1"}),
    ],
    ids=str,
)
def test_what_a_platform_can_deliver_is_a_message(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    data = taken(message_received(1), **fields)
    assert {name: getattr(data, name) for name in expected} == expected


def test_a_sender_is_taken_in_whatever_they_call_themselves_and_whatever_they_are() -> None:
    data = taken(message_received(1), sender={"member_id": "u1", "display_name": "名" * 5_000, "role": "admin"})
    assert (data.sender.member_id, data.sender.role) == ("u1", Role.CUSTOMER)
    assert taken(message_received(1), sender={"member_id": "u1", "display_name": None}).sender.member_id == "u1"


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 7},
        {"text": ["你好"]},
        {"url": {"href": "https://a.cn"}},
        {"sender": None},
        {"sender": {"member_id": 7}},
        {"sender": {"member_id": ""}},
        {"message_id": None},
        {"sent_at": None},
        {"sent_at": "1970-01-01T00:00:00Z"},
        {"sent_at": "2200-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_what_was_said_by_whom_and_when_is_not_guessed(fields: dict[str, Any]) -> None:
    with pytest.raises(UndecodableError):
        taken(message_received(1), **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"display_name": "x" * 9_999},
        {"display_name": None, "scene": 3},
        {"scene": "q" * 999},
        {"scene": ["qr"]},
        {"role": "owner"},
        {"invited_by": ""},
        {"invited_by": {"member_id": "u2"}},
        {"external_ids": {f"k{n}": "v" for n in range(99)} | {"unionid": "U"}},
        {"external_ids": {"unionid": "U", "gender": 1, "avatar": None}},
        {"external_ids": []},
    ],
    ids=str,
)
def test_nobody_who_joins_stays_unknown(fields: dict[str, Any]) -> None:
    data = taken(member_joined("g1", "u1"), **fields)
    assert (data.group_id, data.member_id, data.role) == ("g1", "u1", Role.CUSTOMER)
    if "unionid" in fields.get("external_ids", ()):
        assert "unionid" in data.external_ids


@pytest.mark.parametrize(
    "fields",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": 8},
        {"name": "群" * 4_000},
        {"tags": ["标签" * 99] * 400},
        {"tags": None, "purpose": "fun"},
        {"owner": ""},
        {"capabilities": {"send": "perhaps", "mute": "native"}},
        {"capabilities": None},
    ],
    ids=str,
)
def test_no_group_stays_unknown(fields: dict[str, Any]) -> None:
    data = taken(group_created("g1"), **fields)
    assert (data.group_id, data.timezone, data.purpose) == ("g1", "Asia/Shanghai", Purpose.OTHER)


def test_what_our_own_services_say_is_not_repaired() -> None:
    with pytest.raises(UndecodableError):
        decode_event(MODERATION_DECISIONS, changed(message_allowed(message_received(1)), kind="channels_video"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400))
def test_any_id_is_written_as_ours_are_and_stays_so(written: str) -> None:
    plain = normalize_id(written)
    assert ID.validate_python(plain) == plain == normalize_id(plain)
    try:
        assert ID.validate_python(written) == plain, "what is an id already is that id"
    except ValueError:
        assert plain != written


@given(st.sets(st.text(" /ab", min_size=1, max_size=6) | st.text("ab ", min_size=129, max_size=140), max_size=6))
def test_different_ids_stay_different(written: set[str]) -> None:
    assert len({normalize_id(each) for each in written}) == len(written)


@given(st.data(), JSON)
def test_whatever_stands_in_an_optional_field_a_member_or_message_is_taken(data: st.DataObject, value: Any) -> None:
    event = data.draw(st.sampled_from([message_received(1), member_joined("g1", "u1"), group_created("g1")]))
    names = [name for name, field in type(event.data).model_fields.items() if not field.is_required()]
    name = data.draw(st.sampled_from(names))
    try:
        assert isinstance(taken(event, **{name: value}), BaseModel)
    except UndecodableError:
        assert name in {"text", "url", "quoted"}, "whatever else it is, it says nothing that would be lost"


@pytest.mark.parametrize(
    ("fields", "ids", "complete"),
    [
        ({}, ["u1"], True),
        ({"members": [{"member_id": "a b", "role": "admin", "joined_at": "soon"}]}, ["a~20b"], True),
        ({"members": [{"member_id": f"u{n}"} for n in range(1_001)]}, [f"u{n}" for n in range(1_000)], False),
        ({"members": [{"member_id": "u1"}, None, "u2"]}, ["u1"], False),
    ],
    ids=["as it should be", "mended", "cut", "with holes"],
)
def test_of_a_listing_that_had_to_be_shortened_nobody_is_taken_to_have_left(
    fields: dict[str, Any], ids: list[str], *, complete: bool
) -> None:
    data = taken(group_listed("g1", ["u1"]), **fields)
    assert ([member.member_id for member in data.members], data.complete) == (ids, complete)


@pytest.mark.parametrize(
    "fields",
    [
        {"as_of": "now"},
        {"pages": "two"},
        {"pages": 0},
        {"page": "first"},
        {"complete": "perhaps"},
        {"members": [{"display_name": "李"}]},
        {"members": "u1"},
        {"members": None},
    ],
    ids=str,
)
def test_which_page_of_which_listing_it_is_is_never_guessed(fields: dict[str, Any]) -> None:
    with pytest.raises(UndecodableError):
        taken(group_listed("g1", ["u1"]), **fields)
