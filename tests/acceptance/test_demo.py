"""The bundled day, as a user plays it: everything starts, comes out as the story says, and stops."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from demo.story.capabilities import CAPABILITIES
from huiqun.contracts.topics import SERVICES

# On a machine that does other things as well.
LONGEST_SECONDS = 480
# Where `demo` lies, which nobody installs.
ROOT = Path(__file__).parent.parent.parent


@asynccontextmanager
async def command(
    module: str, directory: Path, *arguments: str, driver: str = "pymongo"
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=directory,
        env={**os.environ, "HUIQUN_MONGO_DRIVER": driver, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def output_of(process: asyncio.subprocess.Process) -> str:
    output, _ = await process.communicate()
    return output.decode()


async def lines_until(process: asyncio.subprocess.Process, wanted: str) -> str:
    assert process.stdout is not None
    seen = ""
    while wanted not in seen:
        line = await process.stdout.readline()
        assert line, seen
        seen += line.decode()
    return seen


@pytest.mark.broker
async def test_the_day_comes_out_as_the_story_says(tmp_path: Path) -> None:
    # Both drivers and both brokers, in two runs instead of four.
    driver = "motor" if os.environ.get("BROKER") == "kafka" else "pymongo"
    async with command("demo", tmp_path, driver=driver) as process:
        output = await output_of(process)
    assert process.returncode == 0, output
    assert "✓" in output
    assert "✗" not in output
    shown = output.partition("What was shown")[2]
    for name, what in CAPABILITIES.items():
        assert re.search(rf"✓ +{name} +{re.escape(what)}", shown), name
    for service in SERVICES:
        assert service in output
        assert (tmp_path / ".run" / "demo" / f"{service}.log").exists()


@pytest.mark.broker
@pytest.mark.kafka_only  # the same day as above: once on each broker is enough
async def test_it_stays_up_until_ctrl_c_and_says_how_to_look_around(tmp_path: Path) -> None:
    async with command("demo.run", tmp_path) as process:
        seen = await lines_until(process, "until Ctrl-C")
        for expected in ("/metrics", "HUIQUN_API_KEY", ".run/run/environment", "removal proposed", "unsupported"):
            assert expected in seen
        environment = tmp_path / ".run" / "run" / "environment"
        assert environment.stat().st_mode & 0o077 == 0
        look = next(line for line in seen.splitlines() if "dead-letters list" in line)
        shell = await asyncio.create_subprocess_shell(
            f". {environment}; {look}", cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        letters = await output_of(shell)
        assert shell.returncode == 0, letters
        assert "5 dead letters of moderation" in letters
        process.send_signal(signal.SIGINT)
        await output_of(process)
    assert process.returncode == 0


async def test_a_machine_without_mongod_is_told_the_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGOD_BIN", "/dev/null")
    # Both drivers and both brokers, in two runs instead of four.
    driver = "motor" if os.environ.get("BROKER") == "kafka" else "pymongo"
    async with command("demo", tmp_path, driver=driver) as process:
        output = await output_of(process)
    assert process.returncode == 1
    assert "Traceback" not in output
    for way_out in ("MONGOD_BIN", "BROKER=kafka", "docker compose up"):
        assert way_out in output


async def test_a_replayed_file_is_judged_message_by_message(tmp_path: Path) -> None:
    file = tmp_path / "comments.csv"
    rows = [
        f"{number},第{number}条评论，{'加薇 abc12345' if number % 10 == 0 else '写得不错'}" for number in range(200)
    ]
    file.write_text("\ufeffid,TEXT\n" + "\n".join(rows) + "\n200,\n", encoding="utf-8")
    async with command("local.replay", tmp_path, str(file), "--column", "TEXT", "--rate", "500") as process:
        output = await output_of(process)
    assert process.returncode == 0, output
    for expected in ("180 allow", "20 block", "200, one for each", "line 202: TEXT is empty"):
        assert expected in output
