"""No event's time lies ahead of ours, or one of a broken clock would be the latest word for years."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from huiqun.contracts.catalog import EVENTS
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import CLOCK_TOLERANCE, Event, Payload
from huiqun.contracts.topics import SERVICES
from huiqun.stream import Route
from huiqun.stream.batch import ReceivedEvent
from huiqun.stream.routes import RoutingTable
from huiqun.testing.events import member_joined, message_received, message_screened
from huiqun.testing.rig import consumer_record_of
from huiqun.work import Work

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
# What is to happen, and may lie in the future.
PLANS = {"until", "due_at", "not_before", "deadline", "expires_at"}
MOMENTS = st.datetimes(datetime(2011, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def moments_in(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    """Every field of a contract, however deep, that holds a moment."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *get_args(field.annotation)]
        kinds += [inner for kind in kinds for inner in get_args(kind)]
        if any("datetime" in str(kind) for kind in (*kinds, field.metadata)):
            yield model, name
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, Payload):
                yield from moments_in(kind)


def test_of_every_moment_in_an_event_of_the_channel_it_is_known_whether_it_has_happened() -> None:
    of_channel = [event for event in EVENTS if event.topic.owner not in SERVICES]
    found = {moment for event in of_channel for moment in moments_in(event.model_fields["data"].annotation)}  # type: ignore[arg-type]
    assert found
    for model, name in found:
        assert issubclass(model, Payload)
        assert (name in model.happened) != (name in PLANS), f"{model.__name__}.{name}"


@given(MOMENTS, MOMENTS)
def test_a_time_that_is_ahead_counts_as_now_and_any_other_as_it_is(time: datetime, sent_at: datetime) -> None:
    event = MessageReceived.create("g1", message_received(1, sent_at=sent_at).data, time=time).clamp_times(NOW)
    assert event.time == (time if time <= NOW + CLOCK_TOLERANCE else NOW)
    assert event.data.sent_at == min(sent_at, NOW)
    assert event.clamp_times(NOW) is event


def test_what_our_own_services_say_of_the_future_is_believed() -> None:
    event = message_screened("g1", "u1", 100_000)
    assert event.clamp_times(NOW) is event


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365 * 70)])
async def test_a_handler_never_sees_a_time_ahead_of_its_own(ahead: timedelta) -> None:
    seen: list[Event] = []

    async def see(_work: Work, events: Sequence[Any]) -> None:
        seen.extend(events)

    event = member_joined("g1", "u1").model_copy(update={"time": NOW + ahead})
    table = RoutingTable([Route((type(event),), see)])
    received = [ReceivedEvent(event, consumer_record_of(event), event.identity)]
    await table.prepare(received, NOW)
    await table.dispatch(Work(None, None, NOW), received)  # type: ignore[arg-type]
    assert [each.time for each in seen] == [NOW]
    assert seen[0].identity == event.identity
