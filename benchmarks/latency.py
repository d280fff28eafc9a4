"""From produce to the action on its topic, at a steady pace."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.figures import Figure, Result, at_most
from benchmarks.messages import Mix, messages, records
from benchmarks.workspace import MODERATION, PARTITIONS, BenchmarkWorkspace, open_workspace, wait_until
from huiqun.contracts.topics import CHANNEL_ACTIONS, CHANNEL_MESSAGES
from huiqun.kafka.publisher import Record
from local.stack import Stack

MEASUREMENT = "Latency"
RATE = 200
METHOD = (
    "{rate} messages a second for {seconds:g} s on {partitions} partitions, after {warm} to warm up. Every message "
    "breaks a rule, so each one is measured: from just before it is handed to the producer until the request to delete "
    "it is back from channel.actions.v1. That is more work than real traffic, in which few messages lead to an action."
)
_WARM_UP_SECONDS = 2
_JOIN_SECONDS = 30.0
_ARRIVE_SECONDS = 20.0


class Stopwatch:
    """Sends messages, and notes when each left and when the request to delete it arrived."""

    def __init__(self, laid: BenchmarkWorkspace, producer: AIOKafkaProducer) -> None:
        self.arrived: dict[str, float] = {}
        self._sent: dict[str, float] = {}
        self._topic = laid.kafka.prefix + CHANNEL_MESSAGES.name
        self._producer = producer

    async def send(self, name: str, record: Record) -> None:
        """Hand a message to the producer, which sends it at once."""
        self._sent[name] = time.perf_counter()
        await self._producer.send(self._topic, record.value, key=record.key, headers=list(record.headers))

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Note arrivals until cancelled."""
        while True:
            polled = await consumer.getmany(timeout_ms=1_000)
            now = time.perf_counter()
            for record in (record for batch in polled.values() for record in batch):
                action = orjson.loads(record.value)["data"]
                if action["kind"] == "delete_message":
                    self.arrived.setdefault(action["target"]["message_id"], now)

    def seconds(self, names: Sequence[str]) -> list[float]:
        """How long each of these messages took."""
        return [self.arrived[name] - self._sent[name] for name in names]


async def measure(stack: Stack, seconds: float, say: Callable[[str], None]) -> Result:
    """How long the actions take."""
    return _result(await times(stack, seconds, say), seconds)


#: What goes on beside the messages, as long as the context lasts.
Beside = Callable[[BenchmarkWorkspace], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class Load:
    """Messages a second, for a large institution or not, and what goes on beside them, which takes an API."""

    rate: int = RATE
    large: bool = False
    beside: Beside | None = None


async def times(stack: Stack, seconds: float, say: Callable[[str], None], load: Load = Load()) -> list[float]:
    """Send at a steady pace and listen for the actions; how many seconds each took."""
    rate, beside, warm = load.rate, load.beside, _WARM_UP_SECONDS * load.rate
    events = messages(1 + warm + round(rate * seconds), Mix(seed=5, offence_every=1))
    names = [event.data.message_id for event in events]
    module = MODERATION if beside is None else (*MODERATION[:-1], "streams,api")
    async with (
        open_workspace(stack, large=load.large) as laid,
        laid.running_child("huiqun", module),
        _watching(laid) as watch,
    ):
        first, *rest = zip(names, records(events), strict=True)
        await watch.send(*first)
        await wait_until(lambda: names[0] in watch.arrived, "first action", _JOIN_SECONDS)
        say(f"the first action has arrived; keeping a pace of {rate} messages/s for {seconds:g} s")
        async with beside(laid) if beside is not None else nullcontext():
            started = time.perf_counter()
            for number, message in enumerate(rest):
                await asyncio.sleep(started + number / rate - time.perf_counter())
                await watch.send(*message)
            laid.check_children()
            await wait_until(lambda: len(watch.arrived) == len(names), "action on every message", _ARRIVE_SECONDS)
    return watch.seconds(names[1 + warm :])


@asynccontextmanager
async def _watching(laid: BenchmarkWorkspace) -> AsyncIterator[Stopwatch]:
    """A stopwatch that listens to the actions topic."""
    kafka = laid.kafka
    producer = AIOKafkaProducer(**kafka.client_arguments(), acks="all", enable_idempotence=kafka.idempotent)
    # Tansu answers a waiting fetch when its time is over, not when something arrives: ask often, to measure the rest.
    consumer = AIOKafkaConsumer(**kafka.client_arguments(), enable_auto_commit=False, fetch_max_wait_ms=2)
    watch = Stopwatch(laid, producer)
    await asyncio.wait_for(asyncio.gather(producer.start(), consumer.start()), 15)
    partitions = [TopicPartition(kafka.prefix + CHANNEL_ACTIONS.name, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    listening = asyncio.create_task(watch.listen(consumer))
    try:
        yield watch
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await producer.stop()
        await consumer.stop()


def _result(taken: Sequence[float], seconds: float) -> Result:
    milliseconds = sorted(each * 1000 for each in taken)
    cuts = statistics.quantiles(milliseconds, n=1000)
    figures = [
        Figure("produce to action, p50", cuts[499], "ms", at_most(15)),
        Figure("produce to action, p99", cuts[989], "ms", at_most(60)),
        Figure("produce to action, p99.9", cuts[998], "ms"),
    ]
    method = METHOD.format(rate=RATE, seconds=seconds, partitions=PARTITIONS, warm=_WARM_UP_SECONDS * RATE)
    details = {"messages": len(taken), "longest_ms": round(milliseconds[-1], 2), "p90_ms": round(cuts[899], 2)}
    return Result(MEASUREMENT, figures, method, details)
