"""Transactions, indexes and errors of the store, on a real replica set."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    InvalidOperation,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from huiqun import store
from huiqun.store import (
    Client,
    Database,
    DuplicateKey,
    Index,
    MongoOptions,
    connect,
    ensure_indexes,
    is_transient,
    transaction,
)
from huiqun.testing.waiting import eventually
from local.ports import free_port


@pytest_asyncio.fixture
async def client(mongo_options: MongoOptions, database_name: str) -> AsyncIterator[Client]:
    opened = connect(mongo_options, app_name=f"huiqun-{database_name}")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def database(client: Client, database_name: str) -> Database:
    await ensure_indexes(client[database_name], {"notes": (), "names": (Index((("name", 1),), unique=True),)})
    return client[database_name]


async def notes(database: Database) -> list[str]:
    return [note["_id"] async for note in database["notes"].find().sort("_id", 1)]


async def test_a_transaction_is_kept_as_a_whole(client: Client, database: Database) -> None:
    async with transaction(client) as session:
        await database["notes"].insert_one({"_id": "a"}, session=session)
        await database["notes"].insert_one({"_id": "b"}, session=session)
        assert await notes(database) == []
    assert await notes(database) == ["a", "b"]


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_a_transaction_that_raises_leaves_nothing_and_holds_nothing(
    client: Client, database: Database, error: type[BaseException]
) -> None:
    async def fail() -> None:
        async with transaction(client) as session:
            await database["notes"].insert_one({"_id": "a"}, session=session)
            raise error

    with pytest.raises(error):
        await fail()
    await database["notes"].insert_one({"_id": "a"})
    assert await notes(database) == ["a"]


@pytest.mark.parametrize("bulk", [False, True])
async def test_the_slower_of_two_transactions_on_one_document_may_try_again(
    client: Client, database: Database, bulk: bool
) -> None:
    await database["notes"].insert_one({"_id": "a", "count": 0})
    change = store.UpdateOne({"_id": "a"}, {"$inc": {"count": 1}})

    async def be_overtaken() -> None:
        async with transaction(client) as slower:
            await database["notes"].find_one({"_id": "a"}, session=slower)
            async with transaction(client) as faster:
                await database["notes"].update_one({"_id": "a"}, {"$inc": {"count": 1}}, session=faster)
            if bulk:
                await database["notes"].bulk_write([change], ordered=False, session=slower)
            else:
                await database["notes"].update_one({"_id": "a"}, {"$inc": {"count": 1}}, session=slower)

    with pytest.raises(store.StoreError) as conflict:
        await be_overtaken()
    assert is_transient(conflict.value)
    assert await database["notes"].find_one({"_id": "a"}) == {"_id": "a", "count": 1}


async def test_a_key_that_exists_is_no_passing_matter(database: Database) -> None:
    await database["names"].insert_one({"name": "group"})
    with pytest.raises(DuplicateKey) as refusal:
        await database["names"].insert_one({"name": "group"})
    assert not is_transient(refusal.value)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (AutoReconnect(), True),
        (NetworkTimeout(), True),
        (ServerSelectionTimeoutError(), True),
        (OperationFailure("not primary", 10107), True),
        (OperationFailure("stepping down", 189), True),
        (OperationFailure("write conflict", 112), True),
        (OperationFailure("no such transaction", 251), True),
        (OperationFailure("no such cursor: the server restarted between two reads", 43), True),
        (OperationFailure("any other", 1, {"errorLabels": ["TransientTransactionError"]}), True),
        (BulkWriteError({"writeErrors": [{"code": 112}]}), True),
        (BulkWriteError({"writeErrors": [{"code": 11000}]}), False),
        (OperationFailure("not authorized", 13), True),
        (OperationFailure("Authentication failed.", 18), True),
        (OperationFailure("Transaction numbers are only allowed on a replica set member or mongos", 20), True),
        (OperationFailure("illegal", 20), False),
        (OperationFailure("validation", 121), False),
        (InvalidOperation("the client is closed"), False),
        (ValueError(), False),
    ],
    ids=str,
)
def test_only_what_the_store_may_do_later_passes(error: Exception, passes: bool) -> None:
    assert is_transient(error) is passes


async def test_a_store_that_is_away_is_told_within_the_time_given(mongo_options: MongoOptions) -> None:
    nowhere = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0"
    away = connect(replace(mongo_options, url=nowhere), wait_milliseconds=100)
    async with asyncio.timeout(5):
        with pytest.raises(store.StoreError) as absence:
            await store.ping_primary(away)
    assert is_transient(absence.value)
    await away.close()


async def test_the_driver_loses_no_cancellation_that_comes_together_with_what_it_waited_for(mongo_url: str) -> None:
    client = connect(mongo_url)
    answer = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(asyncio.wait_for(answer, 20))
    await asyncio.sleep(0)
    answer.set_result("here")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await client.close()


async def test_a_client_whose_driver_was_cancelled_twice_while_it_waited_for_a_server_closes_in_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "pymongo.serverSelection")
    away = connect(f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0")
    waiting = [asyncio.create_task(store.ping_primary(away)) for _ in range(50)]
    await eventually(lambda: caplog.text.count("Waiting for suitable server") >= len(waiting))
    for _ in range(3):
        for task in waiting:
            task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait(waiting, timeout=20)
    async with asyncio.timeout(20):
        await store.close_client(away)


async def test_indexes_are_made_once_however_many_processes_start(client: Client, database_name: str) -> None:
    declared = {
        "plain": (),
        "dated": (
            Index((("at", 1),), expires_after=timedelta(days=1)),
            Index((("open", 1),), unique=True, where={"open": {"$exists": True}}),
        ),
    }
    await asyncio.gather(*(ensure_indexes(client[database_name], declared) for _ in range(5)))
    assert set(await client[database_name].list_collection_names()) == {"plain", "dated"}
    made = await client[database_name]["dated"].index_information()
    assert made["at_1"]["expireAfterSeconds"] == 86_400
    assert made["open_1"]["unique"]
    await client[database_name]["dated"].insert_many([{"at": datetime.now(UTC)}, {"at": datetime.now(UTC)}])
