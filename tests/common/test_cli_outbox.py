"""`huiqun outbox`: what is parked is listed, sent again or given up, and the audit log says by whom."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.contracts.topics import CHANNEL_ACTIONS
from huiqun.kafka.publisher import Record
from huiqun.store import Database, ensure_indexes
from huiqun.testing.broker import SERVICE
from huiqun.testing.rig import Rig
from huiqun.work import WORK_INDEXES, outbox, parked
from local.stack import Stack
from tests.shell import Shell

AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ON_SERVICE = ("--service", SERVICE)
SECRET = "卡号六二二二"


@dataclass(frozen=True)
class Desk:
    """A shell, and the database of the service that it works on, with two parked records."""

    shell: Shell
    database: Database


def records() -> tuple[Record, ...]:
    headers = (("content-type", b"application/cloudevents+json"),)
    keys = (b"g1", None, b"\x1b[31mg2\xff")
    return tuple(Record(CHANNEL_ACTIONS.name, key, SECRET.encode(), headers) for key in keys)


@pytest_asyncio.fixture
async def desk(rig: Rig, stack: Stack, database_name: str) -> AsyncIterator[Desk]:
    database = rig.client[f"{database_name}_{SERVICE}"]
    await ensure_indexes(database, {**AUDIT_INDEXES, **WORK_INDEXES})
    await parked.park_records(database, [outbox.OutboxEntry("e1", records())], {0: 70_000, 2: 80_000}, AT)
    environment = {
        **stack.environment,
        "HUIQUN_DATABASE_PREFIX": f"{database_name}_",
        "HUIQUN_TOPIC_PREFIX": rig.broker.options.prefix,
    }
    yield Desk(Shell(environment), database)
    await rig.client.drop_database(database.name)


async def test_the_list_says_what_is_parked_and_why_without_what_it_says(desk: Desk) -> None:
    listed = await desk.shell.run_successfully("outbox", "list", *ON_SERVICE)
    for shown in ("e1-0", "e1-2", "channel.actions.v1", "g1", "70000", "max.message.bytes", "2026-11-22", "2 parked"):
        assert shown in listed
    assert "e1-1" not in listed, "this one was published"
    assert "\x1b" not in listed
    assert SECRET not in listed


async def test_parking_again_changes_nothing(desk: Desk) -> None:
    before = await parked.list_parked_records(desk.database, 10)
    await parked.park_records(desk.database, [outbox.OutboxEntry("e1", records())], {0: 70_000}, AT.replace(year=2027))
    assert await parked.list_parked_records(desk.database, 10) == before
    assert await parked.count_parked_records(desk.database) == 2


async def test_a_parked_record_is_sent_again_as_it_was_and_another_given_up(rig: Rig, desk: Desk) -> None:
    await desk.shell.run_successfully("outbox", "retry", "e1-0", *ON_SERVICE)
    (sent,) = await rig.broker.records(CHANNEL_ACTIONS)
    assert (sent.key, sent.value) == (b"g1", SECRET.encode())
    assert tuple(sent.headers) == records()[0].headers
    await desk.shell.run_successfully("outbox", "drop", "e1-2", *ON_SERVICE)
    assert await parked.count_parked_records(desk.database) == 0
    assert len(await rig.broker.records(CHANNEL_ACTIONS)) == 1
    entries = await desk.database["audit_log"].find().sort("_id", 1).to_list(None)
    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("outbox.retried", "outbox:e1-0"),
        ("outbox.dropped", "outbox:e1-2"),
    ]
    assert SECRET not in str(entries)
    assert "2 entries, intact" in await desk.shell.run_successfully("audit", "verify", *ON_SERVICE)


async def test_what_is_not_parked_is_neither_sent_nor_given_up(rig: Rig, desk: Desk) -> None:
    for command in ("retry", "drop"):
        result = await desk.shell.run_command("outbox", command, "e1-1", *ON_SERVICE)
        assert (result.exit_code, "no parked record e1-1" in result.stderr) == (1, True)
        assert (await desk.shell.run_command("outbox", command, *ON_SERVICE)).exit_code == 2
    assert await parked.count_parked_records(desk.database) == 2
    assert await rig.broker.records(CHANNEL_ACTIONS) == []
