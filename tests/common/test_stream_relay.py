"""The relay publishes what a process committed and did not live to publish, and ends what it left open."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.store import MongoOptions, abandoned, connect
from huiqun.testing.clock import ManualClock
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Relay, Transactor, Work, outbox
from tests.delivery_orders import message_ids
from tests.servers import handled_ids


async def commit(transactor: Transactor, event: MessageReceived) -> None:
    """Commit the event and die before it is published."""

    async def emit(work: Work) -> None:
        work.emit(event)

    await transactor.commit(emit)


async def published(rig: Rig) -> list[str]:
    return [
        decode_event(CHANNEL_MESSAGES, record.value).data.message_id
        for record in await rig.broker.records(CHANNEL_MESSAGES)
    ]


async def waiting(rig: Rig, count: int) -> bool:
    return await outbox.count_outbox_entries(rig.database) == count


async def test_what_was_left_behind_is_published_in_order_and_what_is_fresh_is_left_to_its_process(
    rig: Rig,
) -> None:
    clock = ManualClock(datetime.now(UTC) - timedelta(seconds=30))
    transactor = Transactor(rig.client, rig.database, rig.broker.publisher, clock)
    left = [message_received(number) for number in range(250)]  # more than the relay takes in one turn
    for event in left:
        await commit(transactor, event)
    clock.moment = datetime.now(UTC)
    await commit(transactor, message_received(999))
    async with running_component(Relay(rig.transactor)):
        await eventually(partial(waiting, rig, 1))
    assert await published(rig) == message_ids(left)


async def test_what_a_dead_process_left_open_is_ended(
    rig: Rig, mongo_options: MongoOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandoned, "_OLD", timedelta(0))
    dead = connect(mongo_options)
    async with dead.start_session() as session:
        await session.start_transaction()
        await dead[rig.database.name]["seen"].insert_one({"_id": "a"}, session=session)
        async with running_component(Relay(rig.transactor)):
            await rig.database["seen"].insert_one({"_id": "a"})
    assert await handled_ids(rig) == ["a"]
    await dead.close()
