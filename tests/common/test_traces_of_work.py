"""What is emitted and scheduled carries on the trace of what it is done for."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest_asyncio

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.stream import Route
from huiqun.tasks.model import TaskKind
from huiqun.telemetry import new_traceparent
from huiqun.telemetry.tracing import start_span
from huiqun.testing.clock import ManualClock
from huiqun.testing.events import NOON, message_allowed, message_received
from huiqun.testing.rig import Rig
from huiqun.work import Task, Work


@pytest_asyncio.fixture
async def rig(mongo_url: str, database_name: str) -> AsyncIterator[Rig]:
    async with Rig.open(mongo_url, database_name, {}, clock=ManualClock(NOON)) as opened:
        yield opened


def traced(number: int, group: str) -> MessageReceived:
    return message_received(number, group, sent_at=NOON).model_copy(update={"traceparent": new_traceparent()})


def answer(event: MessageReceived) -> Event:
    """What an event leads to, by a handler that does not say so."""
    return message_allowed(event).model_copy(update={"traceparent": None})


async def answers_to(rig: Rig, events: Sequence[MessageReceived]) -> list[str | None]:
    async def handle(work: Work, batch: Sequence[MessageReceived]) -> None:
        for event in batch:
            work.emit(answer(event))

    rig.wire(routes=[Route((MessageReceived,), handle)])
    await rig.deliver(*events)
    return [event.traceparent for event in rig.emitted(Event)]


async def test_what_one_event_leads_to_carries_its_trace(rig: Rig) -> None:
    event = traced(1, "g1")
    assert await answers_to(rig, [event]) == [event.traceparent]


async def test_of_several_events_the_one_of_the_same_group_is_the_cause(rig: Rig) -> None:
    one, other = traced(1, "g1"), traced(2, "g2")
    assert await answers_to(rig, [one, other]) == [one.traceparent, other.traceparent]


async def test_of_several_events_of_a_group_none_is_taken_for_the_cause(rig: Rig) -> None:
    assert await answers_to(rig, [traced(1, "g1"), traced(2, "g1")]) == [None, None]


async def test_a_request_a_task_and_what_the_task_emits_are_one_trace(rig: Rig) -> None:
    ran: list[Event] = []

    async def schedule(work: Work) -> None:
        work.schedule(Task("later", "later", NOON))

    async def run(work: Work, _: Task) -> None:
        work.emit(answer(message_received(1, sent_at=NOON)))
        work.schedule(Task("later", "later", NOON + timedelta(days=1)))
        ran.extend(work.emitted)

    with start_span("request") as request:
        await rig.run(schedule)
    rig.wire(task_kinds={"later": TaskKind(run)})
    assert await rig.run_task()
    assert (ran[0].traceparent or "")[3:35] == request.traceparent[3:35]
    [left] = await rig.documents("tasks")
    assert "traceparent" not in left, "what comes again for years is no one trace"
