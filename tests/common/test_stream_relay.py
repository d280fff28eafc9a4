"""The relay publishes what a process committed and did not live to publish, and ends what it left open."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from huiqun.contracts.catalog import decode
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.store import MongoOptions, abandoned, connect
from huiqun.testing.clock import SetClock
from huiqun.testing.events import message
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running
from huiqun.work import Relay, Transactor, Work, outbox
from tests.orders import ids
from tests.servers import seen


async def commit(transactor: Transactor, event: MessageReceived) -> None:
    """Commit the event and die before it is published."""

    async def emit(work: Work) -> None:
        work.emit(event)

    await transactor.commit(emit)


async def published(rig: Rig) -> list[str]:
    return [
        decode(CHANNEL_MESSAGES, record.value).data.message_id for record in await rig.broker.records(CHANNEL_MESSAGES)
    ]


async def waiting(rig: Rig, count: int) -> bool:
    return await outbox.depth(rig.database) == count


async def test_what_was_left_behind_is_published_in_order_and_what_is_fresh_is_left_to_its_process(
    rig: Rig,
) -> None:
    clock = SetClock(datetime.now(UTC) - timedelta(seconds=30))
    transactor = Transactor(rig.client, rig.database, rig.broker.publisher, clock)
    left = [message(number) for number in range(250)]  # more than the relay takes in one turn
    for event in left:
        await commit(transactor, event)
    clock.moment += timedelta(seconds=25)
    await commit(transactor, message(999))
    async with running(Relay(rig.transactor)):
        await eventually(partial(waiting, rig, 1))
    assert await published(rig) == ids(left)


async def test_what_a_dead_process_left_open_is_ended(
    rig: Rig, mongo_options: MongoOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandoned, "_OLD", timedelta(0))
    dead = connect(mongo_options)
    async with dead.start_session() as session:
        await session.start_transaction()
        await dead[rig.database.name]["seen"].insert_one({"_id": "a"}, session=session)
        async with running(Relay(rig.transactor)):
            await rig.database["seen"].insert_one({"_id": "a"})
    assert await seen(rig) == ["a"]
    await dead.close()
