"""The orders in which Kafka may bring events."""

from collections.abc import Sequence

import hypothesis.strategies as st

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event


@st.composite
def delivery_orders(draw: st.DrawFn, streams: Sequence[Sequence[Event]]) -> list[list[Event]]:
    """Batches that bring every event at least once: what one partition holds comes in its order, the rest in any.

    Some batches come twice, and so does some of what they hold.
    """
    waiting = [list(stream) for stream in streams if stream]
    batches: list[list[Event]] = []
    while waiting:
        batch: list[Event] = []
        for _ in range(draw(st.integers(1, 4))):
            if not waiting:
                break
            stream = draw(st.sampled_from(waiting))
            taken = draw(st.integers(1, len(stream)))
            batch += stream[:taken]
            del stream[:taken]
            waiting = [each for each in waiting if each]
        repeated = draw(st.integers(0, 2))
        batches.append(batch + batch[:repeated])
        if draw(st.booleans()):
            batches.append(list(batch))
    return batches


def message_ids(events: Sequence[MessageReceived]) -> list[str]:
    """The message ids, in order."""
    return [event.data.message_id for event in events]
