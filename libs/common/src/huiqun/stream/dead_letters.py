"""Dead letters: records that could not be processed, kept as they came, with headers that say why."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

from huiqun.contracts.catalog import UndecodableError, decode_event
from huiqun.contracts.topics import TOPICS, Topic, dead_letters_of
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import Record
from huiqun.kafka.topics import count_partitions
from huiqun.runtime.errors import NotFoundError
from huiqun.runtime.health import Heartbeat
from huiqun.work.retry import retry_forever

_log = structlog.get_logger(__name__)

_PREFIX = "dead-letter-"
# So many lines of their own have the dead letters of a batch; in a flood, more would drown everything else.
_MOST_LINES = 20
_UNWRITTEN = "dead-letters"
_READ_SECONDS = 15.0


class DeadLetterNotFoundError(NotFoundError):
    """There is no dead letter of this id; `huiqun dead-letters list` shows those there are."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was set aside; `id` is its place on the dead-letter topic, "partition-offset"."""

    id: str
    topic: str
    partition: int
    offset: int
    at: datetime
    reason: str
    error: str
    replays: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def dead_letter_record(service: str, record: ConsumerRecord, *, reason: str, error: str, prefix: str) -> Record:
    """`record` as it came, for the service's dead-letter topic."""
    replays = _number(_notes(record).get("replays"), 0)
    notes = {
        "topic": record.topic.removeprefix(prefix),
        "partition": str(record.partition),
        "offset": str(record.offset),
        "time": datetime.now(UTC).isoformat(),
        "reason": reason[:2000],
        "error": error[:8000],
        "replays": str(replays),
    }
    own = tuple((name, value) for name, value in record.headers if not name.startswith(_PREFIX))
    headers = own + tuple((f"{_PREFIX}{name}", text.encode(errors="replace")) for name, text in notes.items())
    return Record(dead_letters_of(service).name, record.key, record.value, headers)


class DeadLetterLog:
    """A log line for each dead letter: where the record stands and what kind of reason, never what is in it."""

    def __init__(self, service: str) -> None:
        """Speak for the consumer of `service`."""
        self._service = service
        self._added: list[tuple[ConsumerRecord, str, str]] = []

    def add_record(self, record: ConsumerRecord, topic: str, kind: str) -> None:
        """Keep in mind that a record became a dead letter; `topic` is its topic's name without a prefix."""
        self._added.append((record, topic, kind))

    def flush(self) -> None:
        """Write the lines of a batch: 20 at most, and then one that counts the others by kind."""
        noted, self._added = self._added, []
        for record, topic, kind in noted[:_MOST_LINES]:
            place = {"topic": topic, "partition": record.partition, "offset": record.offset}
            _log.error("dead_letter", consumer=self._service, kind=kind, **place)
        if left := Counter(kind for _, _, kind in noted[_MOST_LINES:]):
            _log.error("more_dead_letters", consumer=self._service, records=left.total(), kinds=dict(left))


class LetterPublisher(Protocol):
    """Takes dead letters: a publisher as it is, or one that parks what is too large."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Send the records, and wait until each is acknowledged."""


async def write_dead_letters(publisher: LetterPublisher, letters: Sequence[Record], heartbeat: Heartbeat) -> None:
    """Write dead letters, for as long as it takes: rather than lose one, whoever writes it waits, and is not ready."""
    left = list(letters)
    size = len(left)

    async def attempt() -> None:
        while left:
            await publisher.publish(left[:size])
            del left[:size]

    def wait(error: BaseException) -> None:
        nonlocal size
        size = 1  # one is refused, and the others are not to be written each time that it is
        left.append(left.pop(0))
        heartbeat.mark_failing(error)
        heartbeat.mark_unready(_UNWRITTEN, f"the dead-letter topic does not take a letter: {type(error).__name__}")

    if left:
        await retry_forever(attempt, name="dead-letters", on_retry=wait, retry_on=_is_refusal)
        heartbeat.clear_unready(_UNWRITTEN)


def _is_refusal(error: BaseException) -> bool:
    """Whether it is the broker that does not take a letter: who looks after it can mend that, and nobody else."""
    return isinstance(error, KafkaError | OSError)


async def read_dead_letters(options: KafkaOptions, service: str) -> AsyncIterator[DeadLetter]:
    """The dead letters of a service up to the end of the topic as it is now, oldest first in each partition.

    Raises KafkaError or TimeoutError when the broker does not answer, so that nobody takes a part for all.
    """
    topic = dead_letters_of(service).name
    count = (await count_partitions(options)).get(topic)
    if count is None:
        raise UnknownTopicOrPartitionError(topic)
    partitions = [TopicPartition(options.prefix + topic, number) for number in range(count)]
    consumer = AIOKafkaConsumer(**options.client_arguments(), enable_auto_commit=False)
    try:
        async with asyncio.timeout(_READ_SECONDS):
            await consumer.start()
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            # Tansu names the end of a partition too low; what a fetch says of it is right on every broker.
            while await consumer.position(partition) < max(ends[partition], consumer.highwater(partition) or 0):
                for record in await _poll(consumer, partition):
                    yield _letter(record)
    finally:
        await consumer.stop()


async def _poll(consumer: AIOKafkaConsumer, partition: TopicPartition) -> Sequence[ConsumerRecord]:
    polled = await consumer.getmany(partition, timeout_ms=int(_READ_SECONDS * 1000), max_records=500)
    if not polled:
        raise KafkaTimeoutError(f"nothing came of {partition.topic}/{partition.partition}")
    records: Sequence[ConsumerRecord] = polled[partition]
    return records


async def get_dead_letter(options: KafkaOptions, service: str, letter_id: str) -> DeadLetter:
    """The dead letter of this id; raises DeadLetterNotFoundError."""
    async for letter in read_dead_letters(options, service):
        if letter.id == letter_id:
            return letter
    raise DeadLetterNotFoundError(letter_id)


async def replay_dead_letter(publisher: Publisher, letter: DeadLetter, repaired: bytes | None = None) -> None:
    """Put a dead letter back on the topic it came from, with `repaired` as its value if that is given.

    Where the value is an event, its key is the event's subject, also if the record came under another or none.
    """
    topic = next((topic for topic in TOPICS if topic.name == letter.topic), None)
    if topic is None:
        raise DeadLetterNotFoundError(f"{letter.id} came from the unknown topic {letter.topic!r}")
    headers = (*letter.headers, (f"{_PREFIX}replays", str(letter.replays + 1).encode()))
    value = letter.value if repaired is None else repaired
    await publisher.publish([Record(letter.topic, _key_of(topic, value) or letter.key, value, headers)])


def _key_of(topic: Topic, value: bytes | None) -> bytes | None:
    try:
        return decode_event(topic, value).subject.encode()
    except (UndecodableError, KeyError):  # a topic that has no events yet has no decoder
        return None


def latest_dead_letters(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """Each record once, as its latest dead letter: one that was put back in vain has left a letter every time."""
    records = {(letter.topic, letter.key, letter.value): letter for letter in sorted(letters, key=lambda each: each.at)}
    return sorted(records.values(), key=lambda letter: letter.at)


def _letter(record: ConsumerRecord) -> DeadLetter:
    notes = _notes(record)
    return DeadLetter(
        id=f"{record.partition}-{record.offset}",
        topic=notes.get("topic", ""),
        partition=_number(notes.get("partition"), -1),
        offset=_number(notes.get("offset"), -1),
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        reason=notes.get("reason", ""),
        error=notes.get("error", ""),
        replays=_number(notes.get("replays"), 0),
        key=record.key,
        value=record.value,
        headers=tuple((name, value) for name, value in record.headers if not name.startswith(_PREFIX)),
    )


def _notes(record: ConsumerRecord) -> dict[str, str]:
    """Our headers of a record. Whoever produced it may have written some of that name, with any bytes or none."""
    return {
        name.removeprefix(_PREFIX): (value or b"").decode(errors="replace")
        for name, value in record.headers
        if name.startswith(_PREFIX)
    }


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 20 else otherwise
