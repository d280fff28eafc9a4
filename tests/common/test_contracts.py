"""Every event survives its way over the wire, and what is no event is refused with a reason."""

import json
import types
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from huiqun.contracts import topics
from huiqun.contracts.catalog import EVENTS, EVENTS_BY_TOPIC, UndecodableError, decode_event, encode_event
from huiqun.contracts.channel import MAX_TEXT, MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened
from huiqun.contracts.topics import CHANNEL_MESSAGES, MODERATION_DECISIONS
from huiqun.privacy.names import SealedText
from huiqun.testing.events import message_edited, message_received

FIRST, LAST = datetime(2011, 1, 1), datetime(2099, 12, 31)  # noqa: DTZ001 - Hypothesis takes bounds without a zone
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
IDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1, max_size=128)
TRACES = st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True)
ZONES = st.sampled_from(sorted(available_timezones()))
SOURCES = st.from_regex(r"[A-Za-z][A-Za-z._~:/-]{0,40}", fullmatch=True)
BY_NAME = {"source": SOURCES, "channel": SOURCES, "time": INSTANTS, "traceparent": TRACES, "timezone": ZONES}


def models(kind: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances of a contract: each field within its limits, and those that have a default now and then left out."""
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in kind.model_fields.items():
        strategy = BY_NAME[name] if name in BY_NAME else values(field.annotation, field)
        (required if field.is_required() else optional)[name] = strategy
    return st.fixed_dictionaries(required, optional=optional).map(kind.model_validate)


def values(annotation: Any, field: FieldInfo) -> st.SearchStrategy[Any]:
    """Values of a field, or of a part of it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return values(arguments[0], FieldInfo.from_annotation(annotation))
    if origin in (Union, types.UnionType):
        return st.none() | values(arguments[0], field)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return st.dictionaries(st.text(), st.text(), max_size=3)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0], FieldInfo(annotation=arguments[0])), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(argument, field) for argument in arguments))
    if issubclass(annotation, SealedText):
        return st.text(max_size=50)
    if issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    if issubclass(annotation, BaseModel):
        return models(annotation)
    return scalars(annotation, limits_of(field))


def scalars(kind: type, limits: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Numbers, texts and moments."""
    if kind is datetime or isinstance(limits.get("ge"), datetime):
        return INSTANTS
    if kind is str and "pattern" in limits:
        return IDS
    if kind is str:
        return st.text(min_size=limits.get("min_length", 0), max_size=min(limits.get("max_length", 50), 50))
    if kind is bool:
        return st.booleans()
    low, high = limits.get("ge", 0), limits.get("le", 2**31)
    return st.integers(low, high) if kind is int else st.floats(low, high)


def limits_of(field: FieldInfo) -> dict[str, Any]:
    """What is said beside a type: ge, le, min_length, max_length, pattern."""
    names = ("ge", "le", "min_length", "max_length", "pattern")
    found = {name: getattr(each, name, None) for each in field.metadata for name in names if hasattr(each, name)}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_event_comes_back_as_it_was_sent(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(models(kind))
    decoded = decode_event(kind.topic, encode_event(event))
    assert type(decoded) is kind
    assert decoded == event


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_fields_that_a_reader_does_not_know_are_ignored(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(models(kind))
    newer = json.loads(encode_event(event))
    newer["later"] = {"deep": [1, None]}
    newer["data"]["later"] = "a field of a later version"
    assert decode_event(kind.topic, json.dumps(newer).encode()) == event


@given(said=models(MessageScreened), cause=models(MessageReceived))
def test_a_judgement_made_in_a_hurry_is_the_event_that_checking_makes(
    said: MessageScreened, cause: MessageReceived
) -> None:
    hurried = MessageScreened.create_unchecked(said.data, time=said.time, cause=cause)
    checked = MessageScreened.create(said.data.group_id, said.data, time=said.time, cause=cause)
    checked = checked.model_copy(update={"id": hurried.id})
    assert hurried == checked
    assert encode_event(hurried) == encode_event(checked)
    assert decode_event(MODERATION_DECISIONS, encode_event(hurried)) == checked


def test_every_event_has_its_own_type_and_a_topic_that_is_created() -> None:
    kinds = [kind.model_fields["type"].default for kind in EVENTS]
    assert len(kinds) == len(set(kinds))
    assert set(EVENTS_BY_TOPIC) <= {topic.name for topic in topics.TOPICS}


def test_a_message_is_the_same_under_a_second_event_id_and_an_edit_is_another_thing() -> None:
    first, second = message_received(1), message_received(1)
    assert first.id != second.id
    assert first.identity == second.identity
    elsewhere = message_received(1, group="g2"), message_received(1).model_copy(update={"source": "wecom/other"})
    assert len({first.identity, *(each.identity for each in elsewhere)}) == 3
    assert len({first.identity, message_edited(first, "改").identity, message_edited(first, "再改", 2).identity}) == 3


def changed(**fields: object) -> bytes:
    """A good message with some fields of `data` replaced; None takes one away."""
    event = json.loads(encode_event(message_received(1)))
    for name, value in fields.items():
        event["data"][name] = value
    return json.dumps(event).encode()


def enveloped(**fields: object) -> bytes:
    """A good message with some fields of the envelope replaced."""
    return json.dumps({**json.loads(encode_event(message_received(1))), **fields}).encode()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no value"),
        (b"", "Invalid JSON"),
        (b"\xff\xfe\x00", "Invalid JSON"),
        (b'{"type": "channel.message.received", ', "Invalid JSON"),
        (b"[]", "an object"),
        (b"{}", "Unable to extract tag"),
        (b"[" * 100_000, "Invalid JSON"),
        (b'{"data":' * 300 + b"1" + b"}" * 300, "Invalid JSON"),
        (enveloped(type="channel.message.painted"), "channel.message.painted"),
        (enveloped(specversion="2.0"), "specversion"),
        (enveloped(id="with space"), "id"),
        (enveloped(id="x" * 129), "id"),
        (enveloped(time="yesterday"), "time"),
        (enveloped(time="2026-11-22T08:00:00"), "timezone"),
        (enveloped(traceparent="00-xyz"), "traceparent"),
        (enveloped(data=None), "data"),
        (changed(message_id=""), "message_id"),
        (changed(sender="u1"), "sender"),
        (changed(text=7), "text"),
        (changed(sent_at="1970-01-01T00:00:00Z"), "sent_at"),
        (changed(sent_at="2200-01-01T00:00:00Z"), "sent_at"),
        (changed(sent_at=10**30), "sent_at"),
        (encode_event(message_received(1)).replace("你好".encode(), rb"\ud800\udc01\udfff"), "Invalid JSON"),
        (encode_event(message_received(1)).replace('"你好"'.encode(), b"NaN"), "text"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else str(value),  # the same in every process
)
def test_what_is_no_event_is_refused_with_the_reason(value: bytes | None, reason: str) -> None:
    with pytest.raises(UndecodableError) as refusal:
        decode_event(CHANNEL_MESSAGES, value)
    assert reason in str(refusal.value)
    assert len(str(refusal.value)) <= 2000


def test_a_refusal_does_not_quote_what_was_said() -> None:
    with pytest.raises(UndecodableError) as refusal:
        decode_event(CHANNEL_MESSAGES, changed(text=["身份证 11010519491231002X"], sent_at="11010519491231002X"))
    assert "11010519491231002X" not in str(refusal.value)


def test_the_longest_text_and_the_strangest_characters_are_a_message() -> None:
    for text in ("长" * MAX_TEXT, "\u0000\u200b\u202e\ufdd0\U0001f468\u200d\U0001f469", ""):
        event = decode_event(CHANNEL_MESSAGES, changed(text=text))
        assert isinstance(event, MessageReceived)
        assert event.data.text == text
