"""Importing a list of words from the shell, as an operator does."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from huiqun.audit import verify_audit_log
from huiqun.store import Database, OutsideTransaction, connect
from local.stack import Stack
from moderation.lexicon import store
from moderation.lexicon.__main__ import main

HEADER = "word,category,severity\n"


@pytest_asyncio.fixture
async def database(stack: Stack, database_name: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """The database that the command's environment names."""
    for name, value in {**stack.environment, "HUIQUN_DATABASE_PREFIX": f"{database_name}_"}.items():
        monkeypatch.setenv(name, value)
    client = connect(stack.mongo_url)
    yield client[f"{database_name}_moderation"]
    await client.drop_database(f"{database_name}_moderation")
    await client.close()


async def shell(*arguments: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    screen = io.StringIO()
    code = await asyncio.to_thread(main, arguments, Console(file=screen, width=200))
    return code, screen.getvalue()


async def test_a_file_becomes_a_list_and_the_import_is_audited(database: Database, tmp_path: Path) -> None:
    words = tmp_path / "words.jsonl"
    words.write_text('{"word": "刷单", "category": "fraud"}\n', encoding="utf-8")
    code, output = await shell(str(words), "--list", "bank")
    assert (code, "bank: 1 words; in force" in output) == (0, True), output
    code, output = await shell(str(words), "--list", "bank")
    assert (code, "was imported before" in output) == (0, True), output
    assert [word.id for word in await store.words(OutsideTransaction(database))] == ["bank/刷单"]
    assert (await verify_audit_log(OutsideTransaction(database))).entries == 1
    entry = await database["audit_log"].find_one({"_id": 1})
    assert entry is not None
    assert entry["actor"].startswith("shell:")


async def test_unfit_rows_are_named_by_line_and_refuse_the_file_unless_skipped(
    database: Database, tmp_path: Path
) -> None:
    words = tmp_path / "words.csv"
    words.write_text(HEADER + "刷单,fraud,4\n的,fraud,4\n稳赚,fraud,9\n", encoding="gb18030")
    arguments = (str(words), "--list", "bank", "--encoding", "gb18030")
    code, output = await shell(*arguments)
    assert code == 1
    assert "line 3: word is a single common character" in output
    assert "line 4: severity is not between 1 and 5" in output
    assert await store.lists(OutsideTransaction(database)) == []
    code, output = await shell(*arguments, "--on-error", "skip")
    assert (code, "bank: 1 words, 2 rows left out" in output) == (0, True), output


async def test_what_cannot_be_read_is_said_in_a_line(database: Database, tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_bytes(HEADER.encode() + "刷单,fraud,4\n".encode("gb18030"))
    for arguments in (
        (str(tmp_path / "nowhere.csv"), "--list", "bank"),
        (str(words), "--list", "bank"),
        (str(words), "--list", "bank", "--encoding", "klingon"),
        (str(words), "--list", "huiqun", "--encoding", "gb18030"),
    ):
        code, output = await shell(*arguments)
        assert (code, "Nothing was imported." in output) == (1, True), output
    assert await store.lists(OutsideTransaction(database)) == []


def test_a_name_that_no_list_can_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(("words.csv", "--list", "Bank!"), Console(file=io.StringIO()))
    assert "lower-case letters" in capsys.readouterr().err
