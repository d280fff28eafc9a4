"""Exports: complete, in order, sealed with a hash, and going on where they were broken off."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
import pytest
import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.files.exports import handlers
from huiqun.files.exports.handlers import (
    EXPORT,
    ExportNotFinishedError,
    ExportNotFoundError,
    export_task_kind,
    get_export,
    record_download,
    request_export,
)
from huiqun.files.exports.model import Export, ExportFormat, ExportKind, RequestExportCommand, RowPage
from huiqun.files.exports.store import EXPORT_INDEXES, list_exports, read_file_bytes
from huiqun.files.writing import FileFormat
from huiqun.store import Reader
from huiqun.tasks.model import TaskKind
from huiqun.testing.rig import Rig


def ledgers_of(criteria: Mapping[str, Any]) -> Sequence[str]:
    return [str(name) for name in criteria["ledgers"]]


async def count_entries(reader: Reader, ledger: str) -> int:
    return await reader.collection("entries").count_documents({"ledger": ledger})


async def read_entries(reader: Reader, ledger: str, after: str | None) -> AsyncIterator[RowPage]:
    query: dict[str, Any] = {"ledger": ledger, **({"_id": {"$gt": after}} if after else {})}
    async for each in reader.collection("entries").find(query).sort("_id", 1):
        yield RowPage([{"id": each["_id"], "text": each["text"], "amount": each["amount"]}], each["_id"])


LEDGERS = ExportKind("ledgers", ("id", "amount", "text"), ledgers_of, count_entries, read_entries)


@pytest_asyncio.fixture
async def rig(mongo_url: str, database_name: str) -> AsyncIterator[Rig]:
    async with Rig.open(mongo_url, database_name, {**AUDIT_INDEXES, **EXPORT_INDEXES, "entries": ()}) as opened:
        opened.wire(task_kinds={EXPORT: TaskKind(export_task_kind([LEDGERS]))})
        yield opened


async def enter(rig: Rig, ledger: str, number: int, text: str = "早") -> None:
    entries = [{"_id": f"{ledger}{each:04}", "ledger": ledger, "amount": -each, "text": text} for each in range(number)]
    await rig.database["entries"].insert_many(entries)


async def begin(rig: Rig, *ledgers: str, form: ExportFormat = FileFormat.JSONL) -> Export:
    command = RequestExportCommand(LEDGERS.name, {"ledgers": list(ledgers)}, form)
    return await rig.run(lambda work: request_export(work, command, "anna"))


async def found(rig: Rig, export: Export) -> Export:
    return await get_export(rig.reader, LEDGERS.name, export.id)


async def read(rig: Rig, export: Export, start: int, end: int) -> bytes:
    parts = read_file_bytes(rig.reader, export.id, start, end)
    return b"".join([part async for part in parts])


async def finished(rig: Rig, *ledgers: str, form: ExportFormat = FileFormat.JSONL) -> tuple[Export, bytes]:
    """An export that tasks have carried out, and its file."""
    export = await begin(rig, *ledgers, form=form)
    await rig.run_due()
    done = await found(rig, export)
    return done, await read(rig, done, 0, done.bytes)


async def test_every_row_is_there_once_section_by_section(rig: Rig) -> None:
    await enter(rig, "a", 120)
    await enter(rig, "b", 30)
    export, file = await finished(rig, "b", "a")
    rows = [orjson.loads(line) for line in file.splitlines()]
    assert [row["id"] for row in rows] == [*(f"b{n:04}" for n in range(30)), *(f"a{n:04}" for n in range(120))]
    assert tuple(rows[0]) == LEDGERS.columns
    assert (export.state, export.total, export.rows, export.bytes) == ("done", 150, 150, len(file))
    assert export.sha256 == hashlib.sha256(file).hexdigest()
    assert (await list_exports(rig.reader, LEDGERS.name, None, 10)) == [export]


async def test_a_spreadsheet_has_a_header_and_numbers_stay_numbers(rig: Rig) -> None:
    await enter(rig, "a", 2, "=1+1")
    _, file = await finished(rig, "a", form=FileFormat.CSV)
    assert file.decode("utf-8-sig").splitlines() == ["id,amount,text", "a0000,0,'=1+1", "a0001,-1,'=1+1"]


async def test_an_export_that_is_broken_off_goes_on_without_loss_or_repetition(rig: Rig) -> None:
    await enter(rig, "a", 220, "字" * 20_000)
    export = await begin(rig, "a")
    states = []
    while (now := await found(rig, export)).state != "done":
        states.append((now.state, now.rows))
        # A process that takes the task and dies has done nothing; the next one does the same step.
        assert await rig.run_task()
    assert states[0] == ("counting", 0)
    assert ("writing", 0) in states
    assert ("sealing", 220) in states
    parts = [part async for part in read_file_bytes(rig.reader, export.id, 0, now.bytes)]
    assert len(parts) > 10
    assert max(map(len, parts)) < 2 * 1024 * 1024
    assert len({orjson.loads(line)["id"] for line in b"".join(parts).splitlines()}) == 220


async def test_any_stretch_of_the_file_can_be_read(rig: Rig) -> None:
    await enter(rig, "a", 60, "字" * 20_000)
    export, file = await finished(rig, "a")
    for start, end in ((0, 10), (1_500_000, 2_500_000), (len(file) - 5, len(file)), (1 << 20, 1 << 20)):
        assert await read(rig, export, start, end) == file[start:end]


async def test_who_exports_what_and_who_fetches_it_is_audited(rig: Rig) -> None:
    await enter(rig, "a", 3)
    export, _ = await finished(rig, "a")
    await rig.run(lambda work: record_download(work, LEDGERS.name, export.id, "bo"))
    entries = await rig.database["audit_log"].find().sort("_id", 1).to_list(None)
    asked = {"ledgers": ["a"], "format": "jsonl"}
    assert [(each["actor"], each["action"], each["detail"]) for each in entries] == [
        ("anna", "export.requested", asked),
        ("anna", "export.completed", {**asked, "rows": 3, "bytes": export.bytes, "sha256": export.sha256}),
        ("bo", "export.downloaded", {"sha256": export.sha256}),
    ]
    assert {each["subject"] for each in entries} == {f"export/{export.id}"}


async def test_there_is_nothing_to_fetch_before_it_is_done_or_of_another_kind(rig: Rig) -> None:
    export = await begin(rig, "a")
    with pytest.raises(ExportNotFinishedError):
        await rig.run(partial(record_download, kind=LEDGERS.name, export_id=export.id, actor="anna"))
    for kind, export_id in ((LEDGERS.name, "nothing"), ("messages", export.id)):
        with pytest.raises(ExportNotFoundError):
            await rig.run(partial(record_download, kind=kind, export_id=export_id, actor="anna"))


async def test_a_file_that_becomes_too_large_is_given_up_and_says_so(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "MAX_EXPORT_BYTES", 1_000)
    await enter(rig, "a", 100)
    export, file = await finished(rig, "a")
    assert (export.state, file) == ("failed", b"")
    assert await rig.database["audit_log"].count_documents({"action": "export.failed"}) == 1


async def test_a_step_of_an_export_that_is_gone_does_nothing(rig: Rig) -> None:
    await begin(rig, "a")
    await rig.database["exports"].delete_many({})
    await rig.run_due()
    assert await rig.database["tasks"].count_documents({}) == 0
    assert await rig.database["exports"].count_documents({}) == 0
