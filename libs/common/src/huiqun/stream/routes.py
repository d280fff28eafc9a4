"""The routing table of a service: which handler gets which events."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import Topic
from huiqun.stream.batch import Received, Refused
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.stream.work import Work

# The events are those of the route's types; a handler narrows the annotation to them.
Handler = Callable[[Sequence[Any], Work], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """Events of these types go to this handler, as one list in their order.

    `unreadable` gets an UnreadableRecord for what stands on their topic, is no event, and says which group it is of.
    """

    events: tuple[type[Event], ...]
    handler: Handler
    unreadable: Handler | None = None


class RoutingTable:
    """A consumer's routes; within a batch, events go to their handlers in runs, so that order is kept."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._handlers: dict[type[Event], Handler] = {}
        for route in routes:
            for event in route.events:
                if event in self._handlers:
                    raise ValueError(f"two routes for {event.__name__}")
                self._handlers[event] = route.handler
            if route.unreadable is not None:
                self._handlers[UnreadableRecord] = route.unreadable

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What to subscribe to, in the order of the routes: that is also the order within a batch."""
        return tuple(dict.fromkeys(event.topic for event in self._handlers))

    @property
    def events(self) -> frozenset[type[Event]]:
        """The types that have a handler."""
        return frozenset(self._handlers)

    async def dispatch(self, received: Sequence[Received], work: Work) -> list[Refused]:
        """Give the events to their handlers, run by run; returns those that a handler has refused.

        Here every event of every service passes: none is later than now, whatever its sender's clock says.
        """
        counted = [item._replace(event=item.event.received_at(work.now)) for item in received]
        for handler, run in self._runs(counted):
            await handler(run, work)
        if not work.refused:
            return []
        records = {id(item.event): item.record for item in counted}
        return [Refused(records[id(event)], reason) for event, reason in work.refused]

    def _runs(self, received: Sequence[Received]) -> Iterator[tuple[Handler, list[Event]]]:
        run: list[Event] = []
        current: Handler | None = None
        for item in received:
            handler = self._handlers[type(item.event)]
            if current is not None and handler is not current:
                yield current, run
                run = []
            current = handler
            run.append(item.event)
        if current is not None:
            yield current, run
