"""The routing table of a service: which handler gets which events."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import Topic
from huiqun.stream.batch import ReceivedEvent, RefusedRecord
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.work import Work

# The events are those of the route's types; a handler narrows the annotation to them. Where the route prepares them,
# the handler also gets what became of each.
Handler = Callable[..., Awaitable[None]]
Prepare = Callable[[Sequence[Any], datetime], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Route:
    """Events of these types go to this handler, as one list in their order.

    `unreadable` gets an UnreadableRecord for what stands on their topic, is no event, and says which group it is of.
    `prepare` is for work of the processor that needs nothing of the database: it is done once for each event, before
    the transaction opens, and gives way to others. The handler is called with what it returned, in the order of the
    events.
    """

    events: tuple[type[Event], ...]
    handler: Handler
    unreadable: Handler | None = None
    prepare: Prepare | None = None


class RoutingTable:
    """A consumer's routes; within a batch, events go to their handlers in runs, so that order is kept."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes: dict[type[Event], Route] = {}
        for route in routes:
            for event in route.events:
                if event in self._routes:
                    raise ValueError(f"two routes for {event.__name__}")
                self._routes[event] = route
            if route.unreadable is not None:
                self._routes[UnreadableRecord] = Route((UnreadableRecord,), route.unreadable)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What to subscribe to, in the order of the routes: that is also the order within a batch."""
        return tuple(dict.fromkeys(event.topic for event in self._routes))

    @property
    def events(self) -> frozenset[type[Event]]:
        """The types that have a handler."""
        return frozenset(self._routes)

    async def prepare(self, received: Sequence[ReceivedEvent], now: datetime) -> None:
        """Have the events count as they do at `now`, and add what their routes prepare of them.

        Here every event of every service passes: none is later than now, whatever its sender's clock says.
        """
        for item in received:
            item.event = item.event.clamp_times(now)
        for route, run in self._runs(received):
            if route.prepare is not None:
                made = await route.prepare([item.event for item in run], now)
                for item, each in zip(run, made, strict=True):
                    item.prepared = each

    async def dispatch(self, work: Work, received: Sequence[ReceivedEvent]) -> list[RefusedRecord]:
        """Give prepared events to their handlers, run by run; returns those that a handler has refused."""
        for route, run in self._runs(received):
            events = [item.event for item in run]
            work.act_on(events)
            if route.prepare is None:
                await route.handler(work, events)
            else:
                await route.handler(work, events, [item.prepared for item in run])
        if not work.refused:
            return []
        records = {id(item.event): item.record for item in received}
        return [RefusedRecord(records[id(event)], reason) for event, reason in work.refused]

    def _runs(self, received: Sequence[ReceivedEvent]) -> Iterator[tuple[Route, list[ReceivedEvent]]]:
        run: list[ReceivedEvent] = []
        current: Route | None = None
        for item in received:
            route = self._routes[type(item.event)]
            if current is not None and route is not current:
                yield current, run
                run = []
            current = route
            run.append(item)
        if current is not None:
            yield current, run
