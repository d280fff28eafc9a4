"""The audit log in a real database: written in transactions, verified as a whole."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from huiqun.audit import (
    AUDIT_INDEXES,
    AuditEntry,
    ChainHead,
    append_audit_entries,
    append_audit_entry,
    find_chain_head,
    verify_audit_log,
)
from huiqun.store import OutsideTransaction
from huiqun.testing.rig import Rig
from huiqun.work import Work


class Log:
    """A log to write to and to tamper with."""

    def __init__(self, rig: Rig) -> None:
        self.db = rig.database
        self.transact = rig.run

    async def add(self, *subjects: str) -> int:
        async def append_them(work: Work) -> int:
            entries = [AuditEntry("key:1", "member.muted", subject, {"hours": 2}) for subject in subjects]
            return await append_audit_entries(work, entries)

        return await self.transact(append_them)


@pytest_asyncio.fixture
async def log(mongo_url: str, database_name: str) -> AsyncIterator[Log]:
    async with Rig.open(mongo_url, database_name, AUDIT_INDEXES) as rig:
        yield Log(rig)


async def test_an_empty_log_is_intact(log: Log) -> None:
    report = await verify_audit_log(OutsideTransaction(log.db))
    assert report.intact
    assert (report.entries, report.head) == (0, ChainHead())


async def test_entries_of_one_batch_and_of_many_form_one_chain(log: Log) -> None:
    assert await log.add("m1", "m2", "m3") == 3
    assert await log.add() == 3
    assert await log.add("m4") == 4
    stored = await log.db["audit_log"].find().sort("_id", 1).to_list(None)
    assert [(each["_id"], each["subject"]) for each in stored] == [(1, "m1"), (2, "m2"), (3, "m3"), (4, "m4")]
    report = await verify_audit_log(OutsideTransaction(log.db))
    assert report.intact
    assert report.head == ChainHead(4, stored[-1]["hash"]) == await find_chain_head(OutsideTransaction(log.db))


async def test_what_is_rolled_back_leaves_no_gap(log: Log) -> None:
    await log.add("m1")

    async def fail(work: Work) -> None:
        await append_audit_entry(work, AuditEntry("a", "b", "c"))
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await log.transact(fail)
    await log.add("m2")
    report = await verify_audit_log(OutsideTransaction(log.db))
    assert (report.intact, report.entries) == (True, 2)


async def test_writers_at_the_same_time_make_one_chain(log: Log) -> None:
    await asyncio.gather(*(log.add(f"a{number}", f"b{number}") for number in range(20)))
    report = await verify_audit_log(OutsideTransaction(log.db))
    assert report.intact, report.findings
    assert report.entries == 40


async def test_writers_of_two_processes_make_one_chain(log: Log, mongo_url: str) -> None:
    async with Rig.open(mongo_url, log.db.name, AUDIT_INDEXES) as neighbour:
        await asyncio.gather(*(each.add(f"a{number}") for number in range(40) for each in (log, Log(neighbour))))
    report = await verify_audit_log(OutsideTransaction(log.db))
    assert (report.intact, report.entries) == (True, 80)


async def test_a_transaction_that_began_before_another_appended_need_not_run_again(log: Log) -> None:
    tries = 0

    async def slow(work: Work) -> int:
        nonlocal tries
        tries += 1
        await find_chain_head(work)  # its snapshot is of now
        await log.add("meanwhile")
        return await append_audit_entry(work, AuditEntry("key:1", "list.imported", "list/1"))

    assert await log.transact(slow) == 2
    assert tries == 1
    assert (await verify_audit_log(OutsideTransaction(log.db))).intact


async def test_two_entries_of_one_transaction_follow_each_other(log: Log) -> None:
    async def twice(work: Work) -> tuple[int, int]:
        first = await append_audit_entry(work, AuditEntry("key:1", "a", "x"))
        return first, await append_audit_entry(work, AuditEntry("key:1", "b", "x"))

    await log.add("before")
    assert await log.transact(twice) == (2, 3)
    assert (await verify_audit_log(OutsideTransaction(log.db))).intact


async def test_one_head_is_left_however_many_have_appended(log: Log) -> None:
    for number in range(3):
        await log.add(f"m{number}")
    assert [each["seq"] async for each in log.db["audit_head"].find()] == [3]


async def test_a_chain_that_an_earlier_release_began_goes_on(log: Log) -> None:
    await log.add("m1")
    (head,) = [each async for each in log.db["audit_head"].find()]
    await log.db["audit_head"].delete_many({})
    await log.db["audit_head"].insert_one({**head, "_id": "head"})
    assert await log.add("m2") == 2
    assert (await verify_audit_log(OutsideTransaction(log.db))).intact


async def test_verifying_while_others_append_raises_no_false_alarm(log: Log) -> None:
    async def append_many() -> None:
        for number in range(50):
            await log.add(f"m{number}")

    writing = asyncio.create_task(append_many())
    while not writing.done():
        report = await verify_audit_log(OutsideTransaction(log.db))
        assert report.intact, report.findings
    await writing


@pytest.mark.parametrize(
    ("tamper", "kind", "seq"),
    [
        (lambda log: log.update_one({"_id": 3}, {"$set": {"actor": "nobody"}}), "changed", 3),
        (lambda log: log.update_one({"_id": 3}, {"$set": {"detail.hours": 3}}), "changed", 3),
        (lambda log: log.update_one({"_id": 3}, {"$set": {"detail.hours": 2.0}}), "changed", 3),
        (lambda log: log.update_one({"_id": 3}, {"$set": {"note": "x"}}), "changed", 3),
        (lambda log: log.update_one({"_id": 3}, {"$unset": {"at": 1}}), "changed", 3),
        (lambda log: log.update_one({"_id": 3}, {"$currentDate": {"at": True}}), "changed", 3),
        (lambda log: log.update_one({"_id": 3}, {"$set": {"hash": "0" * 64}}), "changed", 3),
        (lambda log: log.delete_one({"_id": 3}), "missing", 3),
        (lambda log: log.delete_many({"_id": {"$gt": 3}}), "truncated", 4),
        (lambda log: log.delete_many({}), "truncated", 1),
        (lambda log: log.insert_one({"_id": 6}), "beyond head", 6),
        (lambda log: log.insert_one({"_id": 2.5}), "changed", 3),
        (lambda log: log.insert_one({"_id": "x"}), "changed", 6),
        (lambda log: log.insert_one({"_id": 0}), "changed", 1),
        (lambda log: log.database["audit_head"].delete_one({}), "beyond head", 1),
        (lambda log: log.database["audit_head"].update_one({}, {"$set": {"hash": "x"}}), "head differs", 5),
        (lambda log: log.database["audit_head"].update_one({}, {"$set": {"seq": "x"}}), "beyond head", 1),
        (lambda log: log.database["audit_head"].update_one({}, {"$inc": {"seq": 1}}), "truncated", 6),
    ],
)
async def test_tampering_is_found_and_the_entry_named(log: Log, tamper: Any, kind: str, seq: int) -> None:
    await log.add("m1", "m2", "m3", "m4", "m5")
    assert (await verify_audit_log(OutsideTransaction(log.db))).intact
    await tamper(log.db["audit_log"])
    report = await verify_audit_log(OutsideTransaction(log.db))
    assert (kind, seq) in {(finding.kind, finding.seq) for finding in report.findings}, report.findings


async def test_a_rewritten_past_differs_from_the_head_that_was_kept_elsewhere(log: Log) -> None:
    await log.add("m1", "m2")
    anchor = (await verify_audit_log(OutsideTransaction(log.db))).head
    await log.add("m3")
    assert (await verify_audit_log(OutsideTransaction(log.db), anchor=anchor)).intact
    for name in ("audit_log", "audit_head"):
        await log.db[name].delete_many({})
    await log.add("x1")
    (finding,) = (await verify_audit_log(OutsideTransaction(log.db), anchor=anchor)).findings
    assert (finding.kind, finding.seq) == ("truncated", 2)
    await log.add("x2", "x3")
    (finding,) = (await verify_audit_log(OutsideTransaction(log.db), anchor=anchor)).findings
    assert (finding.kind, finding.seq) == ("anchor differs", 2)


async def test_progress_is_told(log: Log) -> None:
    await log.add(*(f"m{number}" for number in range(12_000)))
    told: list[tuple[int, int]] = []
    assert (await verify_audit_log(OutsideTransaction(log.db), lambda done, total: told.append((done, total)))).intact
    assert told[-1] == (12_000, 12_000)
    assert len(told) > 1
