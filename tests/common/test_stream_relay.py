"""The relay publishes what a process committed and did not live to publish, and ends what it left open."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from huiqun.contracts.catalog import decode
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.store import MongoOptions, abandoned, connect
from huiqun.work import Relay, Transactor, Work, outbox
from tests.channel import ids, message
from tests.clocks import SetClock
from tests.spine import Spine, eventually, running


async def commit(transactor: Transactor, event: MessageReceived) -> None:
    """Commit the event and die before it is published."""

    async def emit(work: Work) -> None:
        work.emit(event)

    await transactor.commit(emit)


async def published(spine: Spine) -> list[str]:
    return [decode(CHANNEL_MESSAGES, record.value).data.message_id for record in await spine.records(CHANNEL_MESSAGES)]


async def waiting(spine: Spine, count: int) -> bool:
    return await outbox.depth(spine.database) == count


async def test_what_was_left_behind_is_published_in_order_and_what_is_fresh_is_left_to_its_process(
    spine: Spine,
) -> None:
    clock = SetClock(datetime.now(UTC) - timedelta(seconds=30))
    transactor = Transactor(spine.client, spine.database, spine.publisher, clock)
    left = [message(number) for number in range(250)]  # more than the relay takes in one turn
    for event in left:
        await commit(transactor, event)
    clock.moment += timedelta(seconds=25)
    await commit(transactor, message(999))
    async with running(Relay(spine.transactor)):
        await eventually(partial(waiting, spine, 1))
    assert await published(spine) == ids(left)


async def test_what_a_dead_process_left_open_is_ended(
    spine: Spine, mongo_options: MongoOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandoned, "_OLD", timedelta(0))
    dead = connect(mongo_options)
    async with dead.start_session() as session:
        await session.start_transaction()
        await dead[spine.database.name]["seen"].insert_one({"_id": "a"}, session=session)
        async with running(Relay(spine.transactor)):
            await spine.database["seen"].insert_one({"_id": "a"})
    assert await spine.seen() == ["a"]
    await dead.close()
