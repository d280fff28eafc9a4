"""`huiqun moderation import-words`, as an operator runs it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from huiqun.audit import verify_audit_log
from huiqun.store import Database, OutsideTransaction, connect
from local.stack import Stack
from moderation.lexicon import store
from tests.shell import Shell

HEADER = "word,category,severity\n"


@pytest.fixture
def shell(stack: Stack, database_name: str) -> Shell:
    return Shell({**stack.environment, "HUIQUN_DATABASE_PREFIX": f"{database_name}_"})


@pytest_asyncio.fixture
async def database(stack: Stack, database_name: str) -> AsyncIterator[Database]:
    """The database that the command's environment names."""
    client = connect(stack.mongo_url)
    yield client[f"{database_name}_moderation"]
    await client.drop_database(f"{database_name}_moderation")
    await client.close()


async def import_words(shell: Shell, *arguments: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    result = await shell.run_command("moderation", "import-words", *arguments)
    return result.exit_code, result.output


async def test_a_file_becomes_a_list_and_the_import_is_audited(
    shell: Shell, database: Database, tmp_path: Path
) -> None:
    words = tmp_path / "words.jsonl"
    words.write_text('{"word": "刷单", "category": "fraud"}\n', encoding="utf-8")
    code, output = await import_words(shell, str(words), "--list", "bank")
    assert (code, "bank: 1 words; in force" in output) == (0, True), output
    code, output = await import_words(shell, str(words), "--list", "bank")
    assert (code, "was imported before" in output) == (0, True), output
    assert [word.id for word in await store.list_all_words(OutsideTransaction(database))] == ["bank/刷单"]
    assert (await verify_audit_log(OutsideTransaction(database))).entries == 1
    entry = await database["audit_log"].find_one({"_id": 1})
    assert entry is not None
    assert entry["actor"].startswith("shell:")


async def test_unfit_rows_are_named_by_line_and_refuse_the_file_unless_skipped(
    shell: Shell, database: Database, tmp_path: Path
) -> None:
    words = tmp_path / "words.csv"
    words.write_text(HEADER + "刷单,fraud,4\n的,fraud,4\n稳赚,fraud,9\n", encoding="gb18030")
    arguments = (str(words), "--list", "bank", "--encoding", "gb18030")
    code, output = await import_words(shell, *arguments)
    assert code == 1
    assert "line 3: word is a single common character" in output
    assert "line 4: severity is not between 1 and 5" in output
    assert await store.list_word_lists(OutsideTransaction(database)) == []
    code, output = await import_words(shell, *arguments, "--on-error", "skip")
    assert (code, "bank: 1 words, 2 rows left out" in output) == (0, True), output


async def test_what_cannot_be_read_is_said_in_a_line(shell: Shell, database: Database, tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_bytes(HEADER.encode() + "刷单,fraud,4\n".encode("gb18030"))
    for arguments in (
        (str(tmp_path / "nowhere.csv"), "--list", "bank"),
        (str(words), "--list", "bank"),
        (str(words), "--list", "bank", "--encoding", "klingon"),
        (str(words), "--list", "huiqun", "--encoding", "gb18030"),
    ):
        code, output = await import_words(shell, *arguments)
        assert (code, "Nothing was imported." in output) == (1, True), output
    assert await store.list_word_lists(OutsideTransaction(database)) == []


async def test_a_name_that_no_list_can_have_is_refused(shell: Shell) -> None:
    code, output = await import_words(shell, "words.csv", "--list", "Bank!")
    assert (code, "lower-case letters" in output) == (2, True), output
