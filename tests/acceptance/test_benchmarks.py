"""The benchmarks measure what they say, and leave their result as a file."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.messages import messages, records
from huiqun.contracts.catalog import decode_event
from huiqun.contracts.topics import CHANNEL_MESSAGES

ROOT = Path(__file__).parent.parent.parent


def taken(path: Path) -> dict[str, Any]:
    """What the file says; it is removed, because nobody else wants the result of a test."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return content


def test_messages_are_the_same_every_time_and_400_to_550_bytes_long() -> None:
    made = records(messages(2_000))
    assert made == records(messages(2_000))
    assert all(400 <= len(record.value or b"") <= 550 for record in made)
    assert len({decode_event(CHANNEL_MESSAGES, record.value).identity for record in made}) == 2_000


async def test_screening_is_measured_and_written_down() -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", "--quick", "--only", "screening", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(360):
        said = (await running.communicate())[0].decode()
    assert running.returncode == 0, said
    found = taken(Path(said.rpartition("Written to ")[2].strip()))
    assert found["machine"]["cores"]
    assert found["machine"]["revision"]
    assert found["run"]["quick"]
    (screening,) = found["results"]
    assert {figure["name"] for figure in screening["figures"] if figure["target"]} >= {
        "normalise + match, as spelt",
        "whole decision, as spelt",
    }
    assert all(figure["value"] > 0 for figure in screening["figures"])
