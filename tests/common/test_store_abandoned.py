"""Transactions are ended from outside when their process is gone, and only then, however long they stand still."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from pymongo.errors import OperationFailure

from huiqun.store import (
    PRESENCE_INDEXES,
    AbandonedTransactions,
    Client,
    Database,
    MongoOptions,
    Presence,
    abandoned,
    connect,
    ensure_indexes,
    is_transient,
    transaction,
)
from huiqun.store.connection import client_instance_of
from huiqun.store.presence import PROCESSES
from huiqun.testing.waiting import eventually
from tests.faults.wiretap import Cut, Wiretap

SERVICE = "huiqun_moderation"
# A process that opens a transaction, says so, and then is busy without ever letting its event loop go on.
BUSY = """
import asyncio, sys
from huiqun.store import MongoOptions, Presence, connect, transaction

async def main(url, driver, database_name, name):
    options = MongoOptions(url, driver=driver)
    client = connect(options, app_name=name)
    database = client[database_name]
    presence = Presence(options, database)
    await presence.begin()
    async with transaction(client) as session:
        await database["notes"].insert_one({"_id": "busy"}, session=session)
        print("open", flush=True)
        while True:
            pass

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abandoned, "_GONE_BEATS", 2)
    monkeypatch.setattr(abandoned, "_OLD", timedelta(seconds=0.5))


@pytest.fixture
def name(database_name: str) -> str:
    """What the processes of the test's service go by."""
    return f"{SERVICE}_{database_name}"


@pytest_asyncio.fixture
async def client(mongo_options: MongoOptions, name: str) -> AsyncIterator[Client]:
    opened = connect(mongo_options, app_name=name)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def database(client: Client, database_name: str) -> Database:
    await ensure_indexes(client[database_name], {"notes": (), **PRESENCE_INDEXES})
    return client[database_name]


@pytest_asyncio.fixture
async def present(mongo_options: MongoOptions, database: Database) -> AsyncIterator[Presence]:
    """The process that looks after the others has a heartbeat of its own."""
    presence = Presence(mongo_options, database)
    await presence.begin()
    yield presence
    await presence.end()


@asynccontextmanager
async def busy_process(
    mongo_options: MongoOptions, database_name: str, name: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process in the middle of a transaction."""
    arguments = (mongo_options.url, mongo_options.driver, database_name, name)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BUSY, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"open\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ended(watching: AbandonedTransactions, count: int = 1) -> bool:
    return await watching.abort_abandoned() == count


async def beats(database: Database) -> int:
    return sum([each["beats"] async for each in database[PROCESSES].find()])


@pytest.mark.usefixtures("present")
async def test_a_busy_process_keeps_its_transaction_and_a_killed_one_loses_it(
    mongo_options: MongoOptions, database: Database, name: str
) -> None:
    watching = AbandonedTransactions(database)
    async with busy_process(mongo_options, database.name, name) as process:
        before = await beats(database)
        while await beats(database) < before + 8:  # some four seconds of both: more than what makes a process dead
            assert await watching.abort_abandoned() == 0
            await asyncio.sleep(0.1)
        process.kill()
        await process.wait()
        await eventually(lambda: ended(watching))
    await database["notes"].insert_one({"_id": "busy"})


@pytest.mark.usefixtures("present")
async def test_a_stopped_process_loses_its_transaction_and_another_services_keeps_it(
    mongo_options: MongoOptions, database: Database, name: str
) -> None:
    watching = AbandonedTransactions(database)
    other = connect(mongo_options, app_name=f"{name}_other")
    async with busy_process(mongo_options, database.name, name) as process, other.start_session() as session:
        await session.start_transaction()
        await other[database.name]["notes"].insert_one({"_id": "other"}, session=session)
        process.send_signal(signal.SIGSTOP)
        await eventually(lambda: ended(watching))
        await database["notes"].insert_one({"_id": "busy"})
        await session.commit_transaction()
    await other.close()


async def test_a_process_whose_transaction_was_ended_is_told_that_it_may_try_again(
    client: Client, database: Database, mongo_options: MongoOptions, name: str
) -> None:
    """It never had a heartbeat: nobody writes one before a transaction is possible, so it is long gone."""
    other = connect(mongo_options, app_name=name)
    watching = AbandonedTransactions(other[database.name])

    async def go_on_after_it_was_ended() -> None:
        async with transaction(client) as session:
            await database["notes"].insert_one({"_id": "a"}, session=session)
            assert await watching.abort_abandoned() == 0
            await eventually(lambda: ended(watching))
            await database["notes"].insert_one({"_id": "b"}, session=session)

    with pytest.raises(OperationFailure) as abort:
        await go_on_after_it_was_ended()
    assert is_transient(abort.value)
    await other.close()


@pytest.mark.usefixtures("present")
async def test_a_process_never_ends_its_own_work(client: Client, database: Database) -> None:
    watching = AbandonedTransactions(database)
    async with transaction(client) as session:
        await database["notes"].insert_one({"_id": "a"}, session=session)
        before = await beats(database)
        while await beats(database) < before + 3:
            assert await watching.abort_abandoned() == 0
            await asyncio.sleep(0.1)
    assert await database["notes"].count_documents({}) == 1


async def test_what_a_process_could_not_end_itself_it_ends_when_it_can(
    mongo_options: MongoOptions, database: Database, name: str
) -> None:
    async with Wiretap(int(mongo_options.url.partition("127.0.0.1:")[2].partition("/")[0])) as wiretap:
        tapped = connect(replace(mongo_options, url=wiretap.url), app_name=name)
        watching = AbandonedTransactions(tapped[database.name])
        wiretap.lose(6, Cut.BEFORE)
        with pytest.raises(Exception, match="connection closed"):
            async with transaction(tapped) as session:
                await tapped[database.name]["notes"].insert_one({"_id": "a"}, session=session)
        async with transaction(tapped) as session:
            await tapped[database.name]["notes"].insert_one({"_id": "b"}, session=session)
            assert await watching.abort_abandoned() == 1
        await tapped.close()
    await database["notes"].insert_one({"_id": "a"})
    assert await database["notes"].count_documents({}) == 2


async def test_after_an_outage_in_which_no_heartbeat_was_written_all_may_go_on(
    client: Client, database: Database, mongo_options: MongoOptions, name: str
) -> None:
    """The store took nothing for a while: the last heartbeats are old, and nobody is dead for it."""
    other = connect(mongo_options, app_name=name)
    for each in (client, other):
        await database[PROCESSES].insert_one(
            {"_id": client_instance_of(each), "service": name, "beats": 1, "beat_at": await _server_time(client, -60)}
        )
    watching = AbandonedTransactions(database)
    async with other.start_session() as session:
        await session.start_transaction()
        await other[database.name]["notes"].insert_one({"_id": "a"}, session=session)
        for beats in (0, 0, 0, 1):
            await database[PROCESSES].update_one({"_id": client_instance_of(client)}, {"$inc": {"beats": beats}})
            assert await watching.abort_abandoned() == 0
        await database[PROCESSES].update_one({"_id": client_instance_of(client)}, {"$inc": {"beats": 1}})
        assert (
            await watching.abort_abandoned() == 1
        )  # the store takes writes again and again, and still nothing comes of the other
    await other.close()


async def _server_time(client: Client, seconds: float) -> object:
    answer = await client.admin.command("hello")
    return answer["localTime"] + timedelta(seconds=seconds)


async def test_a_process_that_stops_takes_its_heartbeat_away(mongo_options: MongoOptions, database: Database) -> None:
    presence = Presence(mongo_options, database)
    await presence.begin()
    assert await database[PROCESSES].count_documents({}) == 1
    await presence.end()
    await eventually(lambda: _none_is_there(database))


async def _none_is_there(database: Database) -> bool:
    return not await database[PROCESSES].count_documents({})
