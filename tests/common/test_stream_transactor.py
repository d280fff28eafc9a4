"""A use case runs in one transaction with its outbox, and what it emitted leaves only after the commit."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import Recall
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import EventTooLargeError
from huiqun.runtime.clock import SystemClock
from huiqun.store import Database, DuplicateKey, MongoOptions, connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.work import WORK_INDEXES, Task, Transactor, Work, outbox
from huiqun.work.transactor import BatchDelivery
from local.ports import free_port

LATER = datetime.now(UTC) + timedelta(hours=1)


@pytest_asyncio.fixture
async def offline(mongo_options: MongoOptions, database_name: str) -> AsyncIterator[Transactor]:
    """A transactor whose broker is away."""
    client = connect(mongo_options)
    await ensure_indexes(client[database_name], {**WORK_INDEXES, **TASK_INDEXES, "notes": ()})
    publisher = Publisher(KafkaOptions(f"127.0.0.1:{free_port()}"))
    yield Transactor(client, client[database_name], publisher, SystemClock())
    await client.close()


async def count(database: Database) -> dict[str, int]:
    return {name: await database[name].count_documents({}) for name in ("notes", "inbox", "outbox", "tasks")}


async def write_everything(work: Work) -> str:
    """State, an event and a task."""
    await work.collection("notes").insert_one({"_id": "note"})
    work.emit(message_received(1))
    work.schedule(Task("key", "kind", LATER))
    return "result"


async def test_state_inbox_outbox_and_tasks_are_committed_together(offline: Transactor) -> None:
    result, entries = await offline.commit(write_everything, BatchDelivery(["e1"], ["t/0"]))
    assert (result, len(entries)) == ("result", 1)
    assert await count(offline.database) == {"notes": 1, "inbox": 1, "outbox": 1, "tasks": 1}


async def test_a_use_case_that_fails_leaves_none_of_them(offline: Transactor) -> None:
    async def fail(work: Work) -> None:
        await write_everything(work)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await offline.commit(fail, BatchDelivery(["e1"], ["t/0"]))
    assert await count(offline.database) == {"notes": 0, "inbox": 0, "outbox": 0, "tasks": 0}


async def test_an_event_that_was_dealt_with_keeps_the_use_case_from_running(offline: Transactor) -> None:
    runs = []

    async def note(work: Work) -> None:
        runs.append(work)

    await offline.commit(note, BatchDelivery(["e1"], ["t/0"]))
    with pytest.raises(DuplicateKey):
        await offline.commit(note, BatchDelivery(["e2", "e1"], ["t/0"]))
    assert len(runs) == 1


async def test_a_write_conflict_runs_the_use_case_again_with_a_new_work(offline: Transactor) -> None:
    """Two that read, then write the same document: each increment counts, and each event is there once."""
    await offline.database["notes"].insert_one({"_id": "counter", "count": 0})

    async def increment(work: Work) -> None:
        found = await work.collection("notes").find_one({"_id": "counter"})
        assert found is not None
        await work.collection("notes").update_one({"_id": "counter"}, {"$set": {"count": found["count"] + 1}})
        work.schedule(Task(f"after {found['count']}", "kind", LATER))

    await asyncio.gather(*(offline.run(increment) for _ in range(8)))
    assert await offline.database["notes"].find_one() == {"_id": "counter", "count": 8}
    assert await offline.database["tasks"].count_documents({}) == 8


async def test_a_use_case_whose_own_call_times_out_is_not_run_again(offline: Transactor) -> None:
    runs = []

    async def call(work: Work) -> None:
        runs.append(work)
        raise TimeoutError("the other side")

    with pytest.raises(TimeoutError):
        await offline.run(call)
    assert len(runs) == 1


async def test_an_event_that_no_broker_takes_is_refused_before_the_commit(offline: Transactor) -> None:
    big = message_received(1).model_copy(
        update={"data": Recall.model_construct(message_id="长" * 400_000, group_id="g1", recalled_by="u1")}
    )

    async def emit(work: Work) -> None:
        await work.collection("notes").insert_one({"_id": "note"})
        work.emit(big)

    with pytest.raises(EventTooLargeError, match=r"channel\.message\.received of 12\d{5} bytes"):
        await offline.commit(emit)
    assert await count(offline.database) == {"notes": 0, "inbox": 0, "outbox": 0, "tasks": 0}


async def test_the_last_word_on_a_task_counts(offline: Transactor) -> None:
    async def waver(work: Work) -> None:
        work.schedule(Task("kept", "first", LATER))
        work.cancel("kept")
        work.schedule(Task("kept", "second", LATER))
        work.schedule(Task("dropped", "kind", LATER))
        work.cancel("dropped")

    await offline.run(waver)
    assert [task["kind"] async for task in offline.database["tasks"].find()] == ["second"]


async def test_a_request_is_answered_while_the_broker_is_away_and_its_events_wait(offline: Transactor) -> None:
    async with asyncio.timeout(8):
        assert await offline.run(write_everything) == "result"
    assert await outbox.count_outbox_entries(offline.database) == 1


async def test_what_a_request_emitted_is_published_and_forgotten(rig: Rig) -> None:
    async def emit(work: Work) -> None:
        work.emit_all([message_received(1), message_received(2)])
        work.emit(message_received(3))

    await rig.transactor.run(emit)
    published = [decode_event(CHANNEL_MESSAGES, record.value) for record in await rig.broker.records(CHANNEL_MESSAGES)]
    assert [event.data.message_id for event in published] == ["m00001", "m00002", "m00003"]
    assert await outbox.count_outbox_entries(rig.database) == 0
