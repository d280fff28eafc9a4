"""Inbox and outbox: written with the state, in order, in pieces that the store takes."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from huiqun.kafka.publisher import Record
from huiqun.store import Client, Database, DuplicateKey, MongoOptions, connect, ensure_indexes, transaction
from huiqun.work import WORK_INDEXES, Work, inbox, outbox

NOW = datetime.now(UTC).replace(microsecond=0)
MEGABYTE = 1024 * 1024


@pytest_asyncio.fixture
async def client(mongo_options: MongoOptions) -> AsyncIterator[Client]:
    opened = connect(mongo_options)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def database(client: Client, database_name: str) -> Database:
    await ensure_indexes(client[database_name], WORK_INDEXES)
    return client[database_name]


def records(*values: bytes) -> list[Record]:
    return [Record("channel.actions.v1", b"g1", value, (("traceparent", b"00"),)) for value in values]


async def put(
    client: Client, database: Database, sent: Sequence[Record], partition: str = "t/0", at: datetime = NOW
) -> list[outbox.OutboxEntry]:
    async with transaction(client) as session:
        return await outbox.insert_outbox_entry(Work(database, session, at), sent, [partition])


async def note(client: Client, database: Database, *ids: str) -> None:
    async with transaction(client) as session:
        await inbox.insert_inbox_ids(Work(database, session, NOW), ids)


async def test_records_come_out_of_the_outbox_as_they_went_in(client: Client, database: Database) -> None:
    sent = [*records(b"a", b"b"), Record("channel.actions.v1", None, None)]
    entries = await put(client, database, sent)
    assert await outbox.list_unpublished_entries(database, ["t/0"]) == entries
    assert list(entries[0].records) == sent


async def test_nothing_is_written_where_nothing_was_emitted(client: Client, database: Database) -> None:
    assert await put(client, database, []) == []
    assert await outbox.count_outbox_entries(database) == 0


async def test_entries_are_left_in_the_order_of_their_commits(client: Client, database: Database) -> None:
    committed = [entry for n in range(30) for entry in await put(client, database, records(str(n).encode()))]
    assert await outbox.list_unpublished_entries(database, ["t/0"]) == committed
    assert await outbox.list_overdue_entries(database, NOW + timedelta(seconds=1)) == committed


async def test_a_large_batch_becomes_several_entries_in_its_order(client: Client, database: Database) -> None:
    sent = records(*(bytes([65 + n]) * 3 * MEGABYTE for n in range(8)))
    entries = await put(client, database, sent)
    assert len(entries) > 2
    left = await outbox.list_unpublished_entries(database, ["t/0"])
    assert [record for entry in left for record in entry.records] == sent


async def test_what_another_partition_left_is_not_ours(client: Client, database: Database) -> None:
    await put(client, database, records(b"a"), "t/0")
    (other,) = await put(client, database, records(b"b"), "t/1")
    assert await outbox.list_unpublished_entries(database, ["t/1", "t/2"]) == [other]


async def test_what_a_living_process_is_about_to_publish_is_not_left_behind(client: Client, database: Database) -> None:
    (old,) = await put(client, database, records(b"a"), at=NOW - timedelta(seconds=20))
    await put(client, database, records(b"b"))
    assert await outbox.list_overdue_entries(database, NOW - timedelta(seconds=10)) == [old]
    await outbox.delete_outbox_entries(database, [old])
    assert await outbox.count_outbox_entries(database) == 1


async def test_the_inbox_knows_what_was_dealt_with(client: Client, database: Database) -> None:
    await note(client, database, "a", "b")
    await note(client, database, "c")
    assert await inbox.find_known_ids(database, ["b", "c", "d"]) == {"b", "c"}
    assert await inbox.find_known_ids(database, []) == set()


async def test_a_batch_with_one_known_event_is_refused_as_a_whole(client: Client, database: Database) -> None:
    await note(client, database, "a", "b")
    with pytest.raises(DuplicateKey):
        await note(client, database, "c", "b")
    assert await inbox.find_known_ids(database, ["a", "b", "c"]) == {"a", "b"}
