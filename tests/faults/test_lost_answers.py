"""The answer to a commit is lost: nobody knows whether it happened, and yet every event has its effect once."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.kafka import KafkaOptions
from huiqun.store import StoreError, commit_outcome_is_unknown
from huiqun.stream import Route
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskRunner
from huiqun.testing.events import message_allowed, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Relay, Task, Work
from local.stack import Stack
from tests.faults.wiretap import Cut, Wiretap
from tests.servers import HANDLED_INDEXES

# The driver asks once more by itself, and a transaction commits up to three times: the first is made good at once, and
# after the second its outcome is unknown.
LOST = (1, 6)


@pytest_asyncio.fixture
async def wiretap(stack: Stack) -> AsyncIterator[Wiretap]:
    async with Wiretap(stack.mongod.port) as opened:
        yield opened


@pytest_asyncio.fixture
async def tapped(wiretap: Wiretap, kafka_options: KafkaOptions, database_name: str) -> AsyncIterator[Rig]:
    """Connections past the wiretap, and a relay that ends the transactions whose commit never came."""
    async with (
        Rig.open(wiretap.url, database_name, HANDLED_INDEXES, kafka=kafka_options) as opened,
        running_component(Relay(opened.transactor)),
    ):
        yield opened


async def count_up(work: Work) -> None:
    """Not the kind of thing to do twice."""
    await work.collection("seen").update_one({"_id": "counter"}, {"$inc": {"count": 1}}, upsert=True)


async def counted(rig: Rig) -> int:
    found = await rig.database["seen"].find_one({"_id": "counter"})
    return int(found["count"]) if found else 0


async def test_an_event_whose_commit_goes_unanswered_has_its_effect_once(tapped: Rig, wiretap: Wiretap) -> None:
    async def handle(work: Work, events: Sequence[MessageReceived]) -> None:
        for event in events:
            await count_up(work)
            work.emit(message_allowed(event))

    async with running_component(tapped.consumer(Route((MessageReceived,), handle))):
        for number, (lost, cut) in enumerate((lost, cut) for lost in LOST for cut in Cut):
            wiretap.lose(lost, cut)
            await tapped.broker.send(message_received(number))
            await eventually(lambda number=number: has_counted(tapped, number + 1))  # type: ignore[misc]
            await eventually(lambda: wiretap.commits == 0)
    published = {
        decode_event(MODERATION_DECISIONS, record.value).id
        for record in await tapped.broker.records(MODERATION_DECISIONS)
    }
    assert await counted(tapped) == len(published) == 4


@pytest.mark.parametrize(("cut", "effect"), [(Cut.BEFORE, 0), (Cut.AFTER, 1)])
async def test_a_request_whose_outcome_is_unknown_is_not_run_twice_and_its_caller_is_told(
    tapped: Rig, wiretap: Wiretap, cut: Cut, effect: int
) -> None:
    wiretap.lose(max(LOST), cut)
    with pytest.raises(StoreError) as doubt:
        await tapped.transactor.run(count_up)
    assert commit_outcome_is_unknown(doubt.value)
    assert await counted(tapped) == effect
    await tapped.transactor.run(count_up)
    assert await counted(tapped) == effect + 1


async def test_a_request_whose_commit_goes_unanswered_once_is_answered(tapped: Rig, wiretap: Wiretap) -> None:
    for number, cut in enumerate(Cut, 1):
        wiretap.lose(1, cut)
        await tapped.transactor.run(count_up)
        assert await counted(tapped) == number


async def test_a_task_whose_commit_goes_unanswered_runs_once(tapped: Rig, wiretap: Wiretap) -> None:
    async def fire(work: Work, _task: Task) -> None:
        await count_up(work)

    async def schedule(work: Work) -> None:
        work.schedule(Task("key", "count", work.now))

    async with running_component(TaskRunner(tapped.transactor, {"count": TaskKind(fire)})):
        await tapped.transactor.run(schedule)
        wiretap.lose(max(LOST), Cut.AFTER)
        await eventually(lambda: no_tasks(tapped))
        await eventually(lambda: wiretap.commits == 0)
    assert await counted(tapped) == 1


async def has_counted(rig: Rig, count: int) -> bool:
    return await counted(rig) == count


async def no_tasks(rig: Rig) -> bool:
    return not await rig.database["tasks"].count_documents({})
