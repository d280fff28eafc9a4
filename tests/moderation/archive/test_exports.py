"""Exports: in order, complete, sealed with a hash, and going on where they were broken off."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import orjson

from huiqun.contracts.channel import MessageRecalled
from huiqun.contracts.channel.messages import Recall
from huiqun.files.exports.handlers import (
    get_export,
    record_download,
    request_export,
)
from huiqun.files.exports.model import Export, ExportFormat, RowPage
from huiqun.files.exports.store import read_file_bytes
from huiqun.files.writing import FileFormat
from moderation.archive.handlers.exports import MESSAGES, ExportMessagesCommand
from moderation.archive.model.rows import COLUMNS
from moderation.archive.store.messages import Archived
from tests.moderation.archive.records import archive, said, spread
from tests.moderation.rig import MONDAY, ModerationRig

END = MONDAY + timedelta(days=1)


async def begin(rig: ModerationRig, *groups: str, form: ExportFormat = FileFormat.JSONL) -> Export:
    command = ExportMessagesCommand(groups, MONDAY, END, form).to_request()
    return await rig.run(lambda work: request_export(work, command, "anna"))


async def found(rig: ModerationRig, export: Export) -> Export:
    return await get_export(rig.reader, "messages", export.id)


async def content(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


async def finished(rig: ModerationRig, *groups: str, form: ExportFormat = FileFormat.JSONL) -> tuple[Export, bytes]:
    """An export that tasks have carried out, and its file."""
    export = await begin(rig, *groups, form=form)
    await rig.run_due(timedelta(seconds=1))
    done = await found(rig, export)
    assert done.state == "done"
    return done, await content(read_file_bytes(rig.reader, export.id, 0, done.bytes))


async def test_every_message_is_there_once_group_by_group_in_order_of_time(rig: ModerationRig) -> None:
    messages = [*spread(1_200, "g2", MONDAY), *spread(700, "g1", MONDAY)]
    await archive(rig, [*messages[::-1], said(9_999, "g1", END), *spread(3, "g3", MONDAY)])
    export, file = await finished(rig, "g2", "g1", "g2")
    rows = [orjson.loads(each) for each in file.splitlines()]
    expected = sorted(messages, key=lambda message: (message.group_id, message.sent_at))
    assert [row["message_id"] for row in rows] == [message.message_id for message in expected]
    assert (export.total, export.rows, export.bytes) == (1_900, 1_900, len(file))
    assert export.sha256 == hashlib.sha256(file).hexdigest()


async def test_nothing_said_makes_an_empty_file(rig: ModerationRig) -> None:
    export, file = await finished(rig, "nobody")
    assert (export.rows, file, export.sha256) == (0, b"", hashlib.sha256().hexdigest())
    _, table = await finished(rig, "nobody", form=FileFormat.CSV)
    assert table.decode("utf-8-sig").splitlines() == [",".join(COLUMNS)]


async def test_a_row_says_what_was_said_and_what_became_of_it(rig: ModerationRig) -> None:
    await rig.say_all("我的卡号 6222021001122334409")
    (document,) = await rig.documents("messages")
    recall = Recall(message_id=Archived(document).message_id, group_id="g1", recalled_by="u1")
    await rig.deliver(MessageRecalled.create("g1", recall, time=MONDAY))
    _, file = await finished(rig, "g1")
    row = orjson.loads(file)
    assert tuple(row) == COLUMNS
    assert (row["member_id"], row["verdict"], row["recalled_by"]) == ("u1", "block", "u1")
    assert row["reasons"][0]["rule"] == "personal_data"
    assert b"6222021001122334409" not in file
    assert b"hash" not in file
    assert row["sent_at"] == MONDAY.isoformat(timespec="milliseconds")


async def test_who_exports_what_and_who_fetches_it_is_audited(rig: ModerationRig) -> None:
    await archive(rig, spread(3, "g1", MONDAY))
    export, _ = await finished(rig, "g1")
    await rig.run(lambda work: record_download(work, "messages", export.id, "bo"))
    requested, completed, downloaded = await rig.documents("audit_log")
    assert [each["action"] for each in (requested, completed, downloaded)] == [
        "export.requested",
        "export.completed",
        "export.downloaded",
    ]
    assert (completed["actor"], completed["subject"]) == ("anna", f"export/{export.id}")
    assert completed["detail"]["groups"] == ["g1"]
    assert (completed["detail"]["rows"], completed["detail"]["sha256"]) == (3, export.sha256)
    assert (downloaded["actor"], downloaded["detail"]["sha256"]) == ("bo", export.sha256)


def test_a_spreadsheet_shows_the_reasons_of_a_message_in_one_cell() -> None:
    reason = {"rule": "lexicon", "category": "ads", "severity": 3, "confidence": 1.0, "spans": []}
    row = {**dict.fromkeys(COLUMNS), "reasons": [reason, {**reason, "rule": "links"}], "text": "=1+1"}
    written = MESSAGES.format_header(FileFormat.CSV) + b"".join(
        MESSAGES.format_page(FileFormat.CSV, RowPage([row], None))
    )
    (cells,) = csv.DictReader(io.StringIO(written.decode("utf-8-sig")))
    assert (cells["reasons"], cells["text"]) == ("lexicon/ads; links/ads", "'=1+1")
