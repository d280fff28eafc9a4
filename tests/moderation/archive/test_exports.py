"""Exports: in order, complete, sealed with a hash, and going on where they were broken off."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from huiqun.contracts.channel import MessageRecalled
from huiqun.contracts.channel.messages import Recall
from huiqun.store import Outside
from moderation.archive.handlers.exports import (
    ExportOrder,
    UnfinishedExportError,
    UnknownExportError,
    download,
    request_export,
)
from moderation.archive.model.rows import COLUMNS, Format, line, opening
from moderation.archive.store import exports
from moderation.archive.store.exports import Export
from moderation.archive.store.messages import Archived
from tests.moderation.archive.records import archive, said, spread
from tests.moderation.rig import MONDAY, ModerationRig

END = MONDAY + timedelta(days=1)


async def begin(rig: ModerationRig, *groups: str, form: Format = Format.JSONL) -> Export:
    order = ExportOrder(groups, MONDAY, END, form)
    return await rig.run(lambda work: request_export(work, order, "anna"))


async def found(rig: ModerationRig, export: Export) -> Export:
    known = await exports.find(rig.reader, export.id)
    assert known is not None
    return known


async def content(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


async def finished(rig: ModerationRig, *groups: str, form: Format = Format.JSONL) -> tuple[Export, bytes]:
    """An export that tasks have carried out, and its file."""
    export = await begin(rig, *groups, form=form)
    await rig.run_due(timedelta(seconds=1))
    done = await found(rig, export)
    assert done.state == "done"
    return done, await content(exports.read(rig.reader, export.id, 0, done.bytes))


async def test_every_message_is_there_once_group_by_group_in_order_of_time(rig: ModerationRig) -> None:
    messages = [*spread(1_200, "g2", MONDAY), *spread(700, "g1", MONDAY)]
    await archive(rig, [*messages[::-1], said(9_999, "g1", END), *spread(3, "g3", MONDAY)])
    export, file = await finished(rig, "g2", "g1", "g2")
    rows = [orjson.loads(each) for each in file.splitlines()]
    expected = sorted(messages, key=lambda message: (message.group_id, message.sent_at))
    assert [row["message_id"] for row in rows] == [message.message_id for message in expected]
    assert (export.total, export.messages, export.bytes) == (1_900, 1_900, len(file))
    assert export.sha256 == hashlib.sha256(file).hexdigest()


async def test_an_export_that_is_broken_off_goes_on_without_loss_or_repetition(rig: ModerationRig) -> None:
    long = "字" * 20_000
    await archive(rig, [said(number, "g1", MONDAY, text=long) for number in range(220)])
    export = await begin(rig, "g1")
    states = []
    while (now := await found(rig, export)).state != "done":
        states.append((now.state, now.messages))
        # A replica that takes the task and dies has done nothing; the next one does the same step.
        task_ran = await rig.run_task()
        assert task_ran
    assert ("writing", 0) in states
    assert ("sealing", 220) in states
    parts = [part async for part in exports.read(rig.reader, export.id, 0, now.bytes)]
    assert len(parts) > 10
    assert max(map(len, parts)) < 2 * 1024 * 1024
    assert len(b"".join(parts).splitlines()) == 220


async def test_any_stretch_of_the_file_can_be_read(rig: ModerationRig) -> None:
    await archive(rig, [said(number, "g1", MONDAY, text="字" * 20_000) for number in range(60)])
    export, file = await finished(rig, "g1")
    database = rig.database
    for start, end in ((0, 10), (1_500_000, 2_500_000), (len(file) - 5, len(file)), (1 << 20, 1 << 20)):
        assert await content(exports.read(Outside(database), export.id, start, end)) == file[start:end]


async def test_nothing_said_makes_an_empty_file(rig: ModerationRig) -> None:
    export, file = await finished(rig, "nobody")
    assert (export.messages, file, export.sha256) == (0, b"", hashlib.sha256().hexdigest())
    _, table = await finished(rig, "nobody", form=Format.CSV)
    assert table.decode("utf-8-sig").splitlines() == [",".join(COLUMNS)]


async def test_a_row_says_what_was_said_and_what_became_of_it(rig: ModerationRig) -> None:
    await rig.say_all("我的卡号 6222021001122334409")
    (document,) = await rig.documents("messages")
    recall = Recall(message_id=Archived(document).message_id, group_id="g1", recalled_by="u1")
    await rig.deliver(MessageRecalled.about("g1", recall, time=MONDAY))
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
    await rig.run(lambda work: download(work, export.id, "bo"))
    requested, completed, downloaded = await rig.documents("audit_log")
    assert [each["action"] for each in (requested, completed, downloaded)] == [
        "export.requested",
        "export.completed",
        "export.downloaded",
    ]
    assert (completed["actor"], completed["subject"]) == ("anna", f"export/{export.id}")
    assert completed["detail"]["groups"] == ["g1"]
    assert (completed["detail"]["messages"], completed["detail"]["sha256"]) == (3, export.sha256)
    assert (downloaded["actor"], downloaded["detail"]["sha256"]) == ("bo", export.sha256)


async def test_there_is_nothing_to_fetch_before_it_is_done(rig: ModerationRig) -> None:
    export = await begin(rig, "g1")
    with pytest.raises(UnfinishedExportError):
        await rig.run(lambda work: download(work, export.id, "anna"))
    with pytest.raises(UnknownExportError):
        await rig.run(lambda work: download(work, "nothing", "anna"))


async def test_a_step_of_an_export_that_is_gone_does_nothing(rig: ModerationRig) -> None:
    export = await begin(rig, "g1")
    await rig.database["exports"].delete_many({})
    await rig.run_due(timedelta(seconds=1))
    assert await rig.documents("tasks") == []
    assert await exports.find(rig.reader, export.id) is None


def cells(**changed: Any) -> dict[str, str]:
    """A message, written as CSV and read back as a spreadsheet does."""
    row = {**dict.fromkeys(COLUMNS), "reasons": [], "revision": 0, **changed}
    read = csv.DictReader(io.StringIO((opening(Format.CSV) + line(Format.CSV, row)).decode("utf-8-sig")))
    return next(read)


@pytest.mark.parametrize(
    "text", ["=1+1", "+8613800138000", "-1", "@SUM(A1)", "  =1+1", "\t=1+1", "\r\n=1", "＝1+1", "＠小惠", "－", "+"]
)
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert cells(text=text)["text"] == f"'{text}"
    assert cells(member_id=text)["member_id"] == f"'{text}"


@pytest.mark.parametrize(
    "unseen",
    [
        *("\u200b", "\ufeff", "\0", "\u202e", "\u2066", "\xad", "\u2060", "\u3164", "\u115f", "\u2800", "\ufe0f"),
        *("\u180b", "\u034f", "\x7f", "\x85", "\u2028", "\u3000", "\xa0", "\U000e0001", "\ue000"),
        "\u200b\ufeff \0\u202e",
    ],
)
@pytest.mark.parametrize("sign", "=+-@＝＋－＠﹢﹣﹦﹫−")
def test_what_shows_nothing_does_not_hide_a_formula(unseen: str, sign: str) -> None:
    assert cells(text=f"{unseen}{sign}1+1")["text"] == f"'{unseen}{sign}1+1"


@pytest.mark.parametrize("text", ["你好", "1=1", "a+b", '他说"好", 然后\n走了', "'=1", "", "价格-5%"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert cells(text=text)["text"] == text


def test_a_spreadsheet_knows_the_file_for_utf_8() -> None:
    assert opening(Format.CSV).startswith(b"\xef\xbb\xbf")
    reason = {"rule": "lexicon", "category": "ads", "severity": 3, "confidence": 1.0, "spans": []}
    assert cells(reasons=[reason, {**reason, "rule": "links"}])["reasons"] == "lexicon/ads; links/ads"
