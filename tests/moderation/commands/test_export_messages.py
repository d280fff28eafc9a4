"""`huiqun moderation export-messages`, as an operator runs it."""

import asyncio
import csv
import hashlib
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from huiqun.testing.events import NOON
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface
from tests.shell import Shell

RANGE = ("--from", "2026-11-22", "--to", "2026-11-23T00:00+08:00")


async def export(interface: Interface, *arguments: str) -> tuple[int, str]:
    """Run the command on the interface's database; its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("huiqun"),
        "moderation",
        "export-messages",
        *arguments,
        env={**os.environ, **interface.environment, "TZ": "Asia/Shanghai", "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, noted = await process.communicate()
    assert process.returncode is not None
    return process.returncode, (printed + noted).decode()


def files_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


async def test_the_command_writes_a_file_and_the_audit_log_knows_its_hash(interface: Interface, tmp_path: Path) -> None:
    one, two = sorted((group_id(), group_id()))
    texts = [f"第{number}句" for number in range(600)]
    await judge(
        interface,
        [*said(two, *texts), *said(one, "=1+1"), *said(one, "明天", member="u2", sent_at=NOON + timedelta(days=1))],
    )
    file = tmp_path / "records.csv"
    code, output = await export(interface, "-g", two, "-g", one, *RANGE, "--format", "csv", "--out", str(file))
    assert code == 0, output
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert f"601 messages, {file.stat().st_size} bytes, sha256 {digest}" in output
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["text"] for row in rows] == ["'=1+1", *texts]
    entry = await interface.rig.database["audit_log"].find_one({"detail.sha256": digest})
    assert entry is not None
    assert (entry["action"], entry["detail"]["rows"]) == ("export.completed", 601)
    assert entry["actor"].startswith("shell:")
    assert files_in(tmp_path) == ["records.csv"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--from", "yesterday", "--to", "2026-11-23"), "--from: yesterday is no date"),
        (("--from", "2026-11-23", "--to", "2026-11-22"), "--to is later than --from"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_no_file_is_left(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    result = await Shell({}).run_command(
        "moderation", "export-messages", "-g", "g", *arguments, "-o", str(tmp_path / "file")
    )
    assert (result.exit_code, reason in result.output) == (2, True), result.output
    assert files_in(tmp_path) == []


async def test_a_file_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "records.csv"
    file.write_text("mine")
    result = await Shell({}).run_command("moderation", "export-messages", "-g", "g", *RANGE, "-o", str(file))
    assert (result.exit_code, "already" in result.output) == (2, True), result.output
    assert file.read_text() == "mine"
