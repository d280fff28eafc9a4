"""The exported lag is the broker's: while nothing is acknowledged, after a rebalance, and with the broker away."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import REGISTRY

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.store import MongoOptions
from huiqun.stream import BatchConsumer, LagMonitor, Route, lag
from huiqun.testing.broker import PARTITIONS, SERVICE
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from local.proxy import Proxy
from local.stack import Stack
from tests.servers import HANDLED_INDEXES, kafka_options_of


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than a service does."""
    monkeypatch.setattr(lag, "_EVERY_SECONDS", 0.1)


async def note(work: Work, events: Sequence[MessageReceived]) -> None:
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])


NOTING = Route((MessageReceived,), note)


def lags() -> dict[str, float]:
    """The exported figures by partition, of messages."""
    metric = next(each for each in REGISTRY.collect() if each.name == "huiqun_consumer_lag_records")
    own = [each for each in metric.samples if each.labels["consumer"] == SERVICE]
    assert {each.labels["topic"] for each in own} <= {CHANNEL_MESSAGES.name}
    return {each.labels["partition"]: each.value for each in own}


def is_lag(total: int, partitions: int = PARTITIONS) -> Callable[[], bool]:
    return lambda: (len(lags()), sum(lags().values())) == (partitions, total)


@asynccontextmanager
async def watched(rig: Rig, *routes: Route) -> AsyncIterator[BatchConsumer]:
    """A consumer at work, and the watch over its lag."""
    consumer = rig.consumer(*routes)
    async with running_component(consumer), running_component(LagMonitor(consumer, rig.broker.options)):
        yield consumer
    assert lags() == {}, "no figure outlives its watch"


async def test_lag_rises_while_the_store_is_frozen_and_is_no_figure_while_the_broker_is_away(
    proxy: Proxy, mongo_options: MongoOptions
) -> None:
    async with Stack(advertise=proxy.port) as stack:
        proxy.target = stack.broker.port
        mongo = replace(mongo_options, url=stack.mongo_url)
        async with (
            Rig.open(mongo, "lag", HANDLED_INDEXES, kafka=kafka_options_of(stack, "lag.")) as rig,
            watched(rig, NOTING),
        ):
            await rig.broker.send(*[message_received(number, f"g{number % 20}") for number in range(100)])
            await eventually(is_lag(0))
            stack.mongod.process.send_signal(signal.SIGSTOP)
            try:
                await rig.broker.send(*[message_received(number, f"g{number % 20}") for number in range(1_000, 4_000)])
                await eventually(is_lag(3_000))
                proxy.cut()
                await eventually(lambda: lags() == {})
                await proxy.resume()
                await eventually(is_lag(3_000))
            finally:
                stack.mongod.process.send_signal(signal.SIGCONT)
            await eventually(is_lag(0), 60)


async def test_lag_of_a_partition_that_moves_away_is_no_longer_exported(rig: Rig) -> None:
    opened = asyncio.Event()

    async def wait(work: Work, events: Sequence[MessageReceived]) -> None:
        if events[0].data.text == "wait":
            await opened.wait()
        await note(work, events)

    await rig.broker.send(*[message_received(number, f"g{number % 20}", text="wait") for number in range(500)])
    async with watched(rig, Route((MessageReceived,), wait)) as consumer:
        await eventually(is_lag(500))
        opened.set()
        await eventually(is_lag(0))
        other = AIOKafkaConsumer(
            rig.broker.options.prefix + CHANNEL_MESSAGES.name,
            **rig.broker.options.client_arguments(),
            group_id=consumer.group,
            enable_auto_commit=False,
            rebalance_timeout_ms=5_000,
        )
        await other.start()
        try:
            await eventually(lambda: len(consumer.assignment) == 1)
            await eventually(lambda: len(lags()) == 1)
            (kept,) = consumer.assignment
            assert lags() == {str(kept.partition): 0.0}
        finally:
            await other.stop()
        await eventually(is_lag(0))
