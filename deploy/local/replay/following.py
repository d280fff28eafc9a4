"""Sends events at a rate, and follows them to their verdicts on the topic."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.kafka import Publisher
from huiqun.kafka.publisher import event_record
from local.replay.messages import key_of_judged
from local.topics import read_records

_CHUNK: Final = 500
_TICKS_A_SECOND: Final = 10
_QUIET_POLLS: Final = 20

# Whether there is nothing left to send, to judge or to publish.
Idle = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class VerdictLog:
    """The verdicts on the topic for the messages that are waited for: the ids of their events, by message."""

    wanted: frozenset[str]
    screened: dict[str, list[str]] = field(default_factory=dict)

    def add_verdict(self, event: Event) -> None:
        """Note an event of the topic."""
        if isinstance(event, MessageScreened) and (key := key_of_judged(event)) in self.wanted:
            self.screened.setdefault(key, []).append(event.id)

    @property
    def complete(self) -> bool:
        """Whether there is at least one verdict for each."""
        return len(self.screened) == len(self.wanted)

    @property
    def published_again(self) -> int:
        """Events that came more than once under the same id, as "at least once" allows."""
        return sum(len(ids) - len(set(ids)) for ids in self.screened.values())

    @property
    def judged_again(self) -> int:
        """Messages whose events have different ids: they were judged more than once."""
        return sum(len(set(ids)) > 1 for ids in self.screened.values())


async def send_events(events: Sequence[Event], publisher: Publisher, rate: float | None) -> None:
    """Publish the events in order, as fast as the broker takes them or at `rate` a second."""
    loop = asyncio.get_running_loop()
    started, sent = loop.time(), 0
    for chunk in _chunks(events, _CHUNK if rate is None else max(1, round(rate / _TICKS_A_SECOND))):
        await publisher.publish([event_record(event) for event in chunk])
        sent += len(chunk)
        if rate is not None:
            await asyncio.sleep(started + sent / rate - loop.time())


async def collect_verdicts(
    heard: VerdictLog, consumer: AIOKafkaConsumer, idle: Idle, progress: Callable[[int], None]
) -> None:
    """Read the topic until every verdict is there, or moderation has nothing left to do and no more come."""
    quiet = 0
    while not heard.complete and quiet < _QUIET_POLLS:
        came = await read_records(consumer)
        for record in came:
            heard.add_verdict(decode_event(MODERATION_DECISIONS, record.value))
        progress(len(heard.screened))
        quiet = 0 if came or not await idle() else quiet + 1


def _chunks(events: Sequence[Event], size: int) -> Iterator[Sequence[Event]]:
    return (events[at : at + size] for at in range(0, len(events), size))
