"""A poll's records and what decoding makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from huiqun.contracts.catalog import UndecodableError, decode_event
from huiqun.contracts.channel.repairs import normalize_id
from huiqun.contracts.envelope import NO_FINGERPRINT, Event
from huiqun.contracts.topics import Topic
from huiqun.stream.unreadable import UnreadableRecord, describe_unreadable
from huiqun.telemetry.tracing import start_span

Polled = Mapping[TopicPartition, Sequence[ConsumerRecord]]


@dataclass(slots=True)
class ReceivedEvent:
    """An event, the record it came in, and what makes two deliveries the same event.

    `prepared` is what its route made of it before the transaction.
    """

    event: Event
    record: ConsumerRecord
    identity: str
    prepared: Any = None

    def contradicts(self, fingerprint: bytes) -> bool:
        """Whether its content is other than what was dealt with under its identity."""
        own = self.event.fingerprint
        return own != fingerprint and NO_FINGERPRINT not in (own, fingerprint)


class RefusedRecord(NamedTuple):
    """A record whose event a handler must not act on, and why."""

    record: ConsumerRecord
    reason: str


@dataclass(frozen=True, slots=True)
class UndecodableRecord:
    """A record that is no event of its topic or stands under a key that is not its own, and why; `kind` in a word."""

    record: ConsumerRecord
    reason: str
    kind: str = "undecodable"


# Of an ordinary record, so many bytes are its envelope; what goes beyond that is text to be judged.
_ENVELOPE_BYTES = 800


def limit_batch(polled: Polled, characters: int) -> Polled:
    """As many of a poll's records, in their order, as have no more than so many characters of text; one at least.

    Of each partition a record in turn, so that one with much to judge does not keep the others waiting.
    """
    if sum([_characters(record) for records in polled.values() for record in records]) <= characters:
        return polled
    taken = dict.fromkeys(polled, 0)
    growing = [partition for partition, records in polled.items() if records]
    left = characters
    while growing:
        for partition in tuple(growing):
            size = _characters(polled[partition][taken[partition]])
            if size > left and any(taken.values()):
                growing.remove(partition)
                continue
            left = max(left - size, 0)
            taken[partition] += 1
            if taken[partition] == len(polled[partition]):
                growing.remove(partition)
    return {partition: polled[partition][:count] for partition, count in taken.items() if count}


def _characters(record: ConsumerRecord) -> int:
    """How much text a record has, at most: a character takes a byte or more."""
    return max(len(record.value or b"") - _ENVELOPE_BYTES, 0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brought: events that a handler wants, records that do not decode, and where to go on reading."""

    received: tuple[ReceivedEvent, ...]
    undecodable: tuple[UndecodableRecord, ...]
    positions: Mapping[TopicPartition, int]
    size: int

    @property
    def partitions(self) -> list[str]:
        """The partitions it came from, "topic/number" each."""
        return [f"{partition.topic}/{partition.partition}" for partition in self.positions]


def decode_batch(
    polled: Polled,
    topics: Mapping[str, Topic],
    wanted: frozenset[type[Event]],
) -> Batch:
    """Decode a poll's records in the order of `topics`; events of other types than `wanted` are passed over.

    Who wants to know of unreadable records gets an UnreadableRecord for each that says which group it is of.
    """
    received: list[ReceivedEvent] = []
    undecodable: list[UndecodableRecord] = []
    rank = {name: position for position, name in enumerate(topics)}
    for partition in sorted(polled, key=lambda partition: (rank[partition.topic], partition.partition)):
        topic = topics[partition.topic]
        for record in polled[partition]:
            event = _read(topic, record)
            if isinstance(event, UndecodableRecord):
                undecodable.append(event)
                noted = describe_unreadable(topic, record, event.reason) if UnreadableRecord in wanted else None
                if noted is not None:
                    received.append(ReceivedEvent(noted, record, noted.identity))
            elif type(event) in wanted:
                received.append(ReceivedEvent(event, record, event.identity))
    positions = {partition: records[-1].offset + 1 for partition, records in polled.items() if records}
    return Batch(tuple(received), tuple(undecodable), positions, sum(map(len, polled.values())))


def _read(topic: Topic, record: ConsumerRecord) -> Event | UndecodableRecord:
    """The event in a record, or why there is none."""
    try:
        event = decode_event(topic, record.value)
    except UndecodableError as error:
        return UndecodableRecord(record, str(error))
    misplaced = _misplaced(topic, event, record.key)
    return event if misplaced is None else UndecodableRecord(record, misplaced, "key")


def _misplaced(topic: Topic, event: Event, key: bytes | None) -> str | None:
    """Why an event's record does not stand in the order of what it is about; None where it does.

    What happens in a group stays in order because all of it has one key: the subject, and that is the group.
    """
    if key is None:
        return "the record has no key; it is to be the event's subject"
    # An id is made plain where it is read; the key is what it was.
    if key != event.subject.encode() and normalize_id(key.decode(errors="replace")) != event.subject:
        return "the record's key is not the event's subject"
    group = getattr(event.data, "group_id", None) if topic.is_keyed_by_group else None
    return None if group in (None, event.subject) else "the event's subject is not its group"


def without_duplicates(received: Sequence[ReceivedEvent]) -> list[ReceivedEvent]:
    """The events in order, each identity once."""
    if len({item.identity for item in received}) == len(received):
        return list(received)
    seen: dict[str, ReceivedEvent] = {}
    for item in received:
        seen.setdefault(item.identity, item)
    return list(seen.values())


def find_contradicting(received: Sequence[ReceivedEvent]) -> list[ReceivedEvent]:
    """The events whose content is other than that of the first one of the same identity."""
    if len({item.identity for item in received}) == len(received):
        return []
    first: dict[str, bytes] = {}
    return [item for item in received if item.contradicts(first.setdefault(item.identity, item.event.fingerprint))]


def with_consumer_span(consumer: str, item: ReceivedEvent) -> ReceivedEvent:
    """The event with a span of this consumer as the parent of whatever it causes."""
    with start_span(f"{consumer} {item.event.type}", parent=item.event.traceparent) as span:
        return replace(item, event=item.event.model_copy(update={"traceparent": span.traceparent}))
