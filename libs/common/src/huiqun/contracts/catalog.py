"""Every event by topic, and how the bytes of a record become one."""

import re
from collections.abc import Mapping, Sequence
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.json_schema import models_json_schema
from pydantic_core import ErrorDetails

from huiqun.contracts import channel, contact, crm, engagement, moderation, privacy, survey
from huiqun.contracts.channel.repairs import repair_event
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import Topic
from huiqun.privacy.names import AS_WRITTEN

_DEFINED: tuple[type[Event], ...] = tuple(
    sorted(
        (
            value
            for module in (channel, moderation, engagement, contact, crm, survey, privacy)
            for value in vars(module).values()
            # Without a type of its own it is what several events have in common.
            if isinstance(value, type)
            and issubclass(value, Event)
            and isinstance(value.model_fields["type"].default, str)
        ),
        key=lambda event: event.model_fields["type"].default,
    )
)
#: The events that are sent, and those that nobody sends yet: no topic's records are decoded to them.
EVENTS: tuple[type[Event], ...] = tuple(event for event in _DEFINED if not event.planned)
PLANNED_EVENTS: tuple[type[Event], ...] = tuple(event for event in _DEFINED if event.planned)

EVENTS_BY_TOPIC: Mapping[str, tuple[type[Event], ...]] = {
    topic: tuple(event for event in EVENTS if event.topic.name == topic)
    for topic in sorted({event.topic.name for event in EVENTS})
}


# Pydantic's messages of these types hold what was sent.
_QUOTING = frozenset({"union_tag_invalid", "value_error", "assertion_error"})
# A type that some newer version may send; who finds it in a reason knows what to upgrade.
_EVENT_TYPE = re.compile(r"[a-z_]{1,32}(?:\.[a-z_]{1,32}){1,3}")


class PlannedEventError(TypeError):
    """The event is planned: whoever begins to send it takes the mark from its class first."""


class UndecodableError(ValueError):
    """The record is not an event of its topic; the message says what is wrong, without quoting the record."""


@cache
def _decoder(topic: str) -> TypeAdapter[Any]:
    events = EVENTS_BY_TOPIC[topic]
    if len(events) == 1:
        return TypeAdapter(events[0])
    union: Any = Annotated[reduce(or_, events), Field(discriminator="type")]
    return TypeAdapter(union)


@cache
def _kinds(topic: str) -> Mapping[str, type[Event]]:
    return {str(event.model_fields["type"].default): event for event in EVENTS_BY_TOPIC[topic]}


def decode_event(topic: Topic, value: bytes | None) -> Event:
    """The event in a record's value; raises UndecodableError with the reasons.

    What a channel sends is taken as it is meant where that is clear: what it tells of happens whether or not it fits.
    """
    if value is None:
        raise UndecodableError("the record has no value")
    try:
        event: Event = _decoder(topic.name).validate_json(value)
    except ValidationError as error:
        mended = repair_event(_kinds(topic.name), value) if topic.owner == "channel" else None
        if mended is None:
            raise UndecodableError(_reasons(error)) from None
        return mended
    return event


def encode_event(event: Event) -> bytes:
    """The bytes of an event: its envelope as JSON, without the fields that are empty.

    Names and ids of other platforms are in it only where they come from: on the topics that the channel writes.
    Raises PlannedEventError.
    """
    if event.planned:
        raise PlannedEventError(type(event).__name__)
    context = AS_WRITTEN if event.topic.owner == "channel" else None
    return event.__pydantic_serializer__.to_json(event, exclude_none=True, context=context)


def _reasons(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False)
    shown = [f"{_place(detail['loc'])}: {_fault(detail)}" for detail in details[:5]]
    if len(details) > len(shown):
        shown.append(f"and {len(details) - len(shown)} more")
    return "; ".join(shown)[:2000]


def _place(loc: Sequence[int | str]) -> str:
    """Where it is, by the names that the contracts know: a key of a mapping is the sender's, and may be anything."""
    steps = [step if isinstance(step, int) or step in _known_names() else "*" for step in loc]
    return ".".join(map(str, steps)) or "event"


def _fault(detail: ErrorDetails) -> str:
    """What is wrong, in words of the schema and not of the record."""
    if detail["type"] not in _QUOTING:
        return detail["msg"]
    tag = str(detail.get("ctx", {}).get("tag", ""))
    return f"no event of this topic has the type {tag}" if _EVENT_TYPE.fullmatch(tag) else "not a valid value"


@cache
def _known_names() -> frozenset[str]:
    """The fields of all contracts and the types of their events."""
    _, schema = models_json_schema([(event, "validation") for event in EVENTS])
    fields = {name for definition in schema["$defs"].values() for name in definition.get("properties", ())}
    return frozenset(fields | {event.model_fields["type"].default for event in EVENTS})
