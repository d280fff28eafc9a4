"""PyMongo's asyncio client and Motor have one face, and what a caller relies on holds for both."""

import asyncio
import inspect
import random
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from huiqun.store import Client, Database, MongoOptions, StoreError, connect, ensure_indexes, transaction

PROTOCOLS = {"__aenter__", "__aexit__", "__aiter__", "__anext__"}
# What Motor has not, or not as PyMongo has it, and nothing of ours asks for.
NOT_OF_MOTOR = {
    *("aclose", "aconnect", "add_option", "aggregate_raw_batches", "append_metadata", "bind", "collection"),
    *("database", "eq_props", "next", "retrieved"),
}
# A process that stops while the server still works at a call of its own.
CALLING = """
import asyncio, sys
from huiqun.store import MongoOptions, close_client, connect

async def main(url, driver, database):
    client = connect(MongoOptions(url, driver=driver))
    await client[database]["notes"].insert_one({})
    calling = asyncio.create_task(client[database]["notes"].find_one({"$where": "sleep(600000) || true"}))
    await asyncio.wait([calling], timeout=0.2)
    assert not calling.done()
    calling.cancel()
    await close_client(client)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest_asyncio.fixture
async def client(mongo_options: MongoOptions) -> AsyncIterator[Client]:
    async with connect(mongo_options) as opened:
        yield opened


@pytest_asyncio.fixture
async def database(client: Client, database_name: str) -> Database:
    await ensure_indexes(client[database_name], {"notes": ()})
    return client[database_name]


async def objects_of(client: Client) -> list[object]:
    """One object of each kind that a driver gives us."""
    collection = client["faces"]["notes"]
    return [
        client,
        client["faces"],
        collection,
        collection.find(),
        await collection.aggregate([]),
        client.start_session(),
    ]


def is_awaited(thing: object, name: str) -> bool:
    method = inspect.getattr_static(type(thing), name)
    marks = ("is_async_method", "coroutine_annotation")  # how Motor says it
    return inspect.iscoroutinefunction(method) or any(getattr(method, mark, False) for mark in marks)


async def test_the_same_methods_are_awaited_whatever_the_driver(mongo_url: str) -> None:
    async with (
        connect(MongoOptions(mongo_url, driver="pymongo")) as pymongos,
        connect(MongoOptions(mongo_url, driver="motor")) as motors,
    ):
        for one, other in zip(await objects_of(pymongos), await objects_of(motors), strict=True):
            assert type(one) is not type(other)
            public = {name for name in dir(type(one)) if not name.startswith("_") or name in PROTOCOLS} - NOT_OF_MOTOR
            missing = {name for name in public if not hasattr(type(other), name)}
            awaited = {name for name in public - missing if is_awaited(one, name) != is_awaited(other, name)}
            assert (missing, awaited) == (set(), set()), type(one)


async def test_every_call_may_become_a_task(client: Client, database: Database) -> None:
    """Motor's own calls are futures, which begin before anybody waits for them."""
    notes, session = database["notes"], client.start_session()
    for call in (
        *(client.list_database_names(), client.watch(), client.close(), session.start_transaction()),
        *(session.commit_transaction(), session.abort_transaction(), session.end_session()),
        *(
            database.command("ping"),
            database.list_collections(),
            database.aggregate([]),
            database.watch(),
        ),
        *(notes.find_one(), notes.insert_one({}), notes.bulk_write([]), notes.aggregate([]), notes.list_indexes()),
        *(notes.find().to_list(), notes.find().next(), notes.find().close(), (await notes.aggregate([])).to_list(1)),
    ):
        assert inspect.iscoroutine(call), call
        call.close()
    assert await asyncio.create_task(notes.find().to_list()) == []


async def test_an_aggregation_is_asked_for_at_the_call_and_in_its_transaction(
    client: Client, database: Database
) -> None:
    with pytest.raises(StoreError):
        await database["notes"].aggregate([{"$nonsense": 1}])
    with pytest.raises(StoreError):
        await database.aggregate([{"$nonsense": 1}])
    async with transaction(client) as session:
        await database["notes"].insert_many([{"_id": number} for number in range(300)], session=session)
        counted = await database["notes"].aggregate([{"$match": {"_id": {"$gte": 100}}}], session=session)
        assert len([each async for each in counted]) == 200
        outside = await database["notes"].aggregate([{"$match": {}}])
        assert await outside.to_list() == []


async def test_what_was_read_is_read_again_after_rewinding(database: Database) -> None:
    await database["notes"].insert_many([{"_id": number} for number in range(3)])
    cursor = database["notes"].find(batch_size=2).sort("_id", -1)
    assert await cursor.to_list(2) == [{"_id": 2}, {"_id": 1}]
    assert await cursor.to_list(2) == [{"_id": 0}]
    assert await cursor.to_list(2) == []
    assert [each["_id"] async for each in await cursor.rewind()] == [2, 1, 0]


async def test_changes_are_watched_from_the_call_on(client: Client, database: Database) -> None:
    async with (
        await client.watch([{"$match": {"ns.db": database.name}}]) as everywhere,
        await database.watch() as here,
        await database["notes"].watch() as notes,
    ):
        await database["notes"].insert_one({"_id": "a"})
        for stream in (everywhere, here, notes):
            change = await asyncio.wait_for(stream.next(), 30)
            assert change["documentKey"] == {"_id": "a"}


async def test_indexes_are_listed(database: Database) -> None:
    await database["notes"].create_index("at")
    assert [index["name"] async for index in await database["notes"].list_indexes()] == ["_id_", "at_1"]


async def test_a_session_that_is_left_ends_its_transaction(client: Client, database: Database) -> None:
    async with client.start_session() as session:
        await session.start_transaction()
        await database["notes"].insert_one({"_id": "a"}, session=session)
    assert session.has_ended
    assert await database["notes"].count_documents({}) == 0
    await database["notes"].insert_one({"_id": "a"})


async def test_more_calls_wait_at_once_than_there_are_connections(database: Database) -> None:
    await asyncio.gather(*(database["notes"].insert_one({"_id": number}) for number in range(300)))
    assert await database["notes"].count_documents({}) == 300


async def test_a_call_that_is_cancelled_leaves_its_transaction_without_effect(
    client: Client, database: Database
) -> None:
    async def write(cancelled: asyncio.Event) -> None:
        async with transaction(client) as session:
            while not cancelled.is_set():  # Python 3.11 now and then loses the cancellation of a call just done
                await database["notes"].insert_one({}, session=session)
            raise asyncio.CancelledError

    for _ in range(20):
        cancelled = asyncio.Event()
        writing = asyncio.create_task(write(cancelled))
        await asyncio.wait([writing], timeout=random.uniform(0, 0.03))
        cancelled.set()
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
    assert await database["notes"].count_documents({}) == 0
    await database["notes"].drop()  # waits for who is still in a transaction


async def test_a_process_ends_while_the_server_still_works_at_its_call(
    mongo_options: MongoOptions, database_name: str
) -> None:
    arguments = (mongo_options.url, mongo_options.driver, database_name)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CALLING, *arguments)
    try:
        assert await asyncio.wait_for(process.wait(), 25) == 0  # a socket would wait for 30 s
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
