"""What is emitted and scheduled carries on the trace of what it is done for."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest_asyncio

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.store import connect, ensure_indexes
from huiqun.stream import Route
from huiqun.stream.batch import Received
from huiqun.stream.routes import RoutingTable
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskRunner
from huiqun.tasks.store import TASK_INDEXES
from huiqun.telemetry import new_traceparent
from huiqun.telemetry.tracing import start_span
from huiqun.work import WORK_INDEXES, Task, Transactor, Work
from tests.channel import NOON, message, verdict_on
from tests.clocks import SetClock
from tests.due import NotingTransactor
from tests.inlet import record_in


@pytest_asyncio.fixture
async def transactor(mongo_url: str, database_name: str) -> AsyncIterator[Transactor]:
    client = connect(mongo_url)
    await ensure_indexes(client[database_name], {**WORK_INDEXES, **TASK_INDEXES})
    yield Transactor(client, client[database_name], Publisher(KafkaOptions("nowhere")), SetClock(NOON))
    await client.close()


def traced(number: int, group: str) -> MessageReceived:
    return message(number, group, sent_at=NOON).model_copy(update={"traceparent": new_traceparent()})


def answer(event: MessageReceived) -> Event:
    """What an event leads to, by a handler that does not say so."""
    return verdict_on(event).model_copy(update={"traceparent": None})


async def answers_to(transactor: Transactor, events: Sequence[MessageReceived]) -> list[str | None]:
    async def handle(work: Work, batch: Sequence[MessageReceived]) -> None:
        for event in batch:
            work.emit(answer(event))

    table = RoutingTable([Route((MessageReceived,), handle)])
    received = [Received(event, record_in(event), event.identity) for event in events]

    async def dispatch(work: Work) -> list[Event]:
        await table.dispatch(work, received)
        return work.emitted

    emitted, _ = await transactor.commit(dispatch)
    return [event.traceparent for event in emitted]


async def test_what_one_event_leads_to_carries_its_trace(transactor: Transactor) -> None:
    event = traced(1, "g1")
    assert await answers_to(transactor, [event]) == [event.traceparent]


async def test_of_several_events_the_one_of_the_same_group_is_the_cause(transactor: Transactor) -> None:
    one, other = traced(1, "g1"), traced(2, "g2")
    assert await answers_to(transactor, [one, other]) == [one.traceparent, other.traceparent]


async def test_of_several_events_of_a_group_none_is_taken_for_the_cause(transactor: Transactor) -> None:
    assert await answers_to(transactor, [traced(1, "g1"), traced(2, "g1")]) == [None, None]


async def test_a_request_a_task_and_what_the_task_emits_are_one_trace(transactor: Transactor) -> None:
    ran: list[Event] = []

    async def schedule(work: Work) -> None:
        work.schedule(Task("later", "later", NOON))

    async def run(work: Work, _: Task) -> None:
        work.emit(answer(message(1, sent_at=NOON)))
        work.schedule(Task("later", "later", NOON + timedelta(days=1)))
        ran.extend(work.emitted)

    with start_span("request") as request:
        await transactor.commit(schedule)
    runner = TaskRunner(NotingTransactor(transactor, transactor.commit), {"later": TaskKind(run)})
    assert await runner.run_next()
    assert (ran[0].traceparent or "")[3:35] == request.traceparent[3:35]
    [left] = await transactor.database["tasks"].find({}).to_list(None)
    assert "traceparent" not in left, "what comes again for years is no one trace"
