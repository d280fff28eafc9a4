"""What operators set: a service says what is wrong with it, and has no secret that everybody knows."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from huiqun.runtime.settings import ServiceSettings

KEY = "HUIQUN_HASH_KEY"


async def start(service: str, **environment: str) -> tuple[int | None, str]:
    """Start a service as a user does; returns its exit code and what it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUIQUN_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", service),
        env={**inherited, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_service_does_not_start_without_a_secret_of_its_own_and_says_how_to_make_one() -> None:
    code, said = await start("survey")
    assert (code, KEY in said, "openssl rand -hex 32" in said, "Traceback" in said) == (2, True, True, False)


async def test_a_secret_that_is_too_short_is_refused_without_being_shown() -> None:
    code, said = await start("survey", HUIQUN_HASH_KEY="change-me")
    assert (code, KEY in said, "change-me" in said) == (2, True, False)


def test_a_secret_may_stand_in_a_mounted_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    (tmp_path / KEY).write_text("a secret in a file\n", encoding="utf-8")
    settings = ServiceSettings(_secrets_dir=tmp_path)
    assert settings.hash_key.get_secret_value() == "a secret in a file"
