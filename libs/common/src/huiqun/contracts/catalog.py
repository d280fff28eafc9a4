"""Every event by topic, and how the bytes of a record become one."""

from collections.abc import Mapping
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from huiqun.contracts import channel, moderation
from huiqun.contracts.channel.repairs import repaired
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import Topic

EVENTS: tuple[type[Event], ...] = tuple(
    sorted(
        (
            value
            for module in (channel, moderation)
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Event) and value is not Event
        ),
        key=lambda event: event.model_fields["type"].default,
    )
)

EVENTS_BY_TOPIC: Mapping[str, tuple[type[Event], ...]] = {
    topic: tuple(event for event in EVENTS if event.topic.name == topic)
    for topic in sorted({event.topic.name for event in EVENTS})
}


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


def decode(topic: Topic, value: bytes | None) -> Event:
    """The event in a record's value; raises UndecodableError with the reasons.

    What a channel sends is taken as it is meant where that is clear: what it tells of happens whether or not it fits.
    """
    if value is None:
        raise UndecodableError("the record has no value")
    try:
        event: Event = _decoder(topic.name).validate_json(value)
    except ValidationError as error:
        mended = repaired(_kinds(topic.name), value) if topic.owner == "channel" else None
        if mended is None:
            raise UndecodableError(_reasons(error)) from None
        return mended
    return event


def encode(event: Event) -> bytes:
    """The bytes of an event: its envelope as JSON, without the fields that are empty."""
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


def _reasons(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{'.'.join(map(str, detail['loc'])) or 'event'}: {detail['msg']}" for detail in details[:5]]
    if len(details) > len(shown):
        shown.append(f"and {len(details) - len(shown)} more")
    return "; ".join(shown)[:2000]
