"""Records that are no event and still say which group they are of: what is known of them besides a dead letter."""

import re
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal

from aiokafka import ConsumerRecord
from pydantic import Field, TypeAdapter, ValidationError

from huiqun.contracts.channel.repairs import normalize_id
from huiqun.contracts.envelope import Event, Id, Payload, Source
from huiqun.contracts.topics import CHANNEL_MESSAGES, Topic

# The first of each name, wherever it stands: whatever is wrong with the record, it need not be JSON.
_NAMED: Final = {
    name: re.compile(rb'"%b"\s*:\s*"((?:[^"\\\x00-\x1f]|\\u[0-9a-fA-F]{4}|\\["\\/]){1,512})"' % name.encode())
    for name in ("type", "source", "group_id", "member_id", "message_id")
}
_SOURCE: Final[TypeAdapter[str]] = TypeAdapter(Source)
_ESCAPES: Final = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/]))')
# A recall says nothing that anybody could judge.
_SAYS_NOTHING: Final = "channel.message.recalled"


class UnreadablePayload(Payload):
    """What can be read of a record that is no event; `names_group` is whether it names the group, or its key alone."""

    group_id: Id
    names_group: bool
    member_id: Id | None = None
    message_id: Id | None = None
    reason: str = Field(max_length=2_000, description="Why it is no event, without a word of it")


class UnreadableRecord(Event):
    """A record of `channel.messages.v1` is no event. Nobody sends this: it is made where the record is read."""

    topic: ClassVar = CHANNEL_MESSAGES
    default_source: ClassVar = "channel"
    type: Literal["huiqun.record.unreadable"] = "huiqun.record.unreadable"
    data: UnreadablePayload


def describe_unreadable(topic: Topic, record: ConsumerRecord, reason: str) -> UnreadableRecord | None:
    """What is to be said of a record that does not decode; None where it does not even say which group it is of."""
    value = record.value or b""
    group_id = _read(value, "group_id") or _plain((record.key or b"").decode(errors="replace"))
    if topic != CHANNEL_MESSAGES or group_id is None or _read(value, "type") == _SAYS_NOTHING:
        return None
    data = UnreadablePayload(
        group_id=group_id,
        names_group=_read(value, "group_id") is not None,
        member_id=_read(value, "member_id"),
        message_id=_read(value, "message_id"),
        reason=reason[:2_000],
    )
    # Where it stands is what makes two readings of it the same; put back on its topic, it is another record.
    place = f"{record.topic}~{record.partition}~{record.offset}"
    return UnreadableRecord(
        id=normalize_id(place),
        source=_source_of(value),
        time=datetime.now(UTC),
        subject=group_id,
        data=data,
    )


def _source_of(value: bytes) -> str:
    found = _NAMED["source"].search(value)
    try:
        return _SOURCE.validate_python(_unescaped(found[1])) if found else UnreadableRecord.default_source
    except ValidationError:
        return UnreadableRecord.default_source


def _read(value: bytes, name: str) -> str | None:
    found = _NAMED[name].search(value)
    return _plain(_unescaped(found[1])) if found else None


def _plain(text: str) -> str | None:
    return normalize_id(text) if text else None


def _unescaped(written: bytes) -> str:
    text = _ESCAPES.sub(lambda found: found[2] or chr(int(found[1], 16)), written.decode(errors="replace"))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
