"""Collections bound to a transaction: what a use case reads and writes is in it, whichever method it calls."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from checks.house_rules import reads_past_the_work
from huiqun.store import (
    BoundCollection,
    BulkWriteError,
    Client,
    Database,
    InsertOne,
    MongoOptions,
    OutsideTransaction,
    connect,
    ensure_indexes,
    transaction,
)
from huiqun.work import Work

NOW = datetime(2026, 11, 2, tzinfo=UTC)
THEIRS = {"_id": "theirs"}
READS: dict[str, Callable[[BoundCollection], Awaitable[Any]]] = {
    "find": lambda notes: notes.find(THEIRS, batch_size=2).to_list(None),
    "find_one": lambda notes: notes.find_one(THEIRS, ["_id"], sort=[("_id", 1)]),
    "aggregate": lambda notes: aggregated(notes, hint={"_id": 1}),
    "count_documents": lambda notes: notes.count_documents(THEIRS, hint=[("_id", 1)], limit=5),
}
MINE = {"_id": "mine"}
KEPT = {"_id": "kept"}
CHANGE = {"$set": {"seen": True}}
WRITES: dict[str, Callable[[BoundCollection], Awaitable[Any]]] = {
    "insert_one": lambda notes: notes.insert_one(dict(MINE)),
    "insert_many": lambda notes: notes.insert_many([dict(MINE)], ordered=False),
    "update_one": lambda notes: notes.update_one(MINE, CHANGE, upsert=True),
    "update_many": lambda notes: notes.update_many(KEPT, CHANGE),
    "replace_one": lambda notes: notes.replace_one(MINE, dict(MINE), upsert=True),
    "delete_one": lambda notes: notes.delete_one(KEPT),
    "delete_many": lambda notes: notes.delete_many(KEPT),
    "bulk_write": lambda notes: notes.bulk_write([InsertOne(dict(MINE))], ordered=False),
    "find_one_and_update": lambda notes: notes.find_one_and_update(MINE, CHANGE, upsert=True),
    "update_each": lambda notes: notes.update_each([{"q": MINE, "u": CHANGE, "upsert": True}]),
}


async def aggregated(notes: BoundCollection, **options: Any) -> list[dict[str, Any]]:
    return await (await notes.aggregate([{"$match": THEIRS}], **options)).to_list(None)


@pytest_asyncio.fixture
async def client(mongo_options: MongoOptions, database_name: str) -> AsyncIterator[Client]:
    opened = connect(mongo_options, app_name=f"huiqun-{database_name}")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def database(client: Client, database_name: str) -> Database:
    await ensure_indexes(client[database_name], {"notes": ()})
    await client[database_name]["notes"].insert_one(dict(KEPT))
    return client[database_name]


def test_every_method_of_a_bound_collection_is_tried_here() -> None:
    methods = {name for name, _ in inspect.getmembers(BoundCollection, inspect.isfunction) if not name.startswith("_")}
    assert methods == READS.keys() | WRITES.keys()


async def test_no_read_of_a_use_case_leaves_its_transaction(client: Client, database: Database) -> None:
    outside = OutsideTransaction(database)
    async with transaction(client) as session:
        work = Work(database, session, NOW)
        await work.collection("notes").find_one(KEPT)  # from here on it sees the same
        await outside.collection("notes").insert_one(dict(THEIRS))
        for name, read in READS.items():
            assert not await read(work.collection("notes")), name
            assert await read(outside.collection("notes")), name
            assert await read(work.outside_transaction().collection("notes")), name


@pytest.mark.parametrize("name", WRITES)
async def test_no_write_of_a_use_case_leaves_its_transaction(name: str, client: Client, database: Database) -> None:
    async def documents() -> list[dict[str, Any]]:
        return await OutsideTransaction(database).collection("notes").find().to_list(None)

    async with transaction(client) as session:
        await WRITES[name](Work(database, session, NOW).collection("notes"))
        assert await documents() == [KEPT]
    assert await documents() != [KEPT]


async def test_a_found_document_is_returned_as_it_was_changed(database: Database) -> None:
    notes = OutsideTransaction(database).collection("notes")
    assert await notes.find_one_and_update(KEPT, CHANGE) == {"_id": "kept", "seen": True}
    assert await notes.find_one_and_update(MINE, CHANGE) is None


async def test_many_small_updates_say_which_of_them_the_server_refuses(database: Database) -> None:
    notes = OutsideTransaction(database).collection("notes")
    updates = [{"q": {"_id": number}, "u": {"$inc": {"n": 1}}, "upsert": True} for number in range(1_500)]
    with pytest.raises(BulkWriteError):
        await notes.update_each([*updates, {"q": {"_id": "kept"}, "u": {"$nonsense": 1}}])
    assert await notes.count_documents({"n": 1}) == 1_500


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("async def screen(work: Work):\n    await find(self._database)", "by _database"),
        ("async def screen(work: Work):\n    await find(OutsideTransaction(self.notes))", "by OutsideTransaction"),
        ("async def screen(work: Work):\n    await find(work.outside_transaction())", "by outside_transaction"),
        ("run(lambda work: find(db))", "by db"),
        ("async def screen(events, work: Work):\n    await find(work)", "not first"),
    ],
)
def test_a_use_case_that_reads_past_its_transaction_breaks_a_house_rule(source: str, reason: str) -> None:
    ((_, _, said),) = reads_past_the_work(Path("services/moderation/src/moderation/app.py"), source)
    assert said.endswith(reason)


def test_a_use_case_that_reads_through_its_work_keeps_the_house_rules() -> None:
    source = "async def screen(self, work: Work, events):\n    await find(work, 'a')\n    work.collection('b')"
    assert not [*reads_past_the_work(Path("services/moderation/src/moderation/app.py"), source)]
