"""What operators set: a service says what is wrong with it, and has no secret that everybody knows."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from huiqun.privacy.keys import RotatingKey
from huiqun.service.settings import ServiceSettings

KEY = "HUIQUN_HASH_KEY"
ENCRYPTION_KEY = "HUIQUN_ENCRYPTION_KEY"
LINK_KEY = "HUIQUN_LINK_KEY"


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
    assert ENCRYPTION_KEY in said
    assert LINK_KEY in said


async def test_a_secret_that_is_too_short_is_refused_without_being_shown() -> None:
    code, said = await start("survey", HUIQUN_HASH_KEY="change-me")
    assert (code, KEY in said, "change-me" in said) == (2, True, False)


async def test_a_driver_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    code, said = await start("survey", HUIQUN_HASH_KEY="a key of these tests", HUIQUN_MONGO_DRIVER="mongor")
    assert (code, "HUIQUN_MONGO_DRIVER: Input should be 'pymongo' or 'motor'" in said) == (2, True), said


def test_a_secret_may_stand_in_a_mounted_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    (tmp_path / KEY).write_text("a secret in a file\n", encoding="utf-8")
    (tmp_path / ENCRYPTION_KEY).write_text("another secret in a file\n", encoding="utf-8")
    (tmp_path / LINK_KEY).write_text("a third secret in a file\n", encoding="utf-8")
    settings = ServiceSettings(_secrets_dir=tmp_path)
    assert settings.hash_key.get_secret_value() == "a secret in a file"


@pytest.mark.parametrize(
    ("name", "said"),
    [("encryption_key", f"{ENCRYPTION_KEY} is the same as {KEY}"), ("link_key", f"{LINK_KEY} is the same as {KEY}")],
)
def test_no_key_serves_two_ends(name: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings_of(**{name: "a key of these tests"})


def test_links_that_were_signed_under_the_key_for_hashing_may_be_read_for_a_while() -> None:
    settings = settings_of(previous_link_key="a key of these tests", previous_hash_key="the key of last year")
    assert settings.rotating_link_key == RotatingKey(b"a third key of these tests", b"a key of these tests")
    assert settings.rotating_hash_key == RotatingKey(b"a key of these tests", b"the key of last year")


def test_a_previous_key_that_is_empty_is_none() -> None:
    assert settings_of(previous_encryption_key="").master_keys.previous is None
    assert settings_of(previous_encryption_key="the key of last year").master_keys.previous == "the key of last year"


def settings_of(**given: Any) -> ServiceSettings:
    keys = {
        "hash_key": "a key of these tests",
        "encryption_key": "another key of these tests",
        "link_key": "a third key of these tests",
    }
    return ServiceSettings(**{**keys, **given})


@pytest.mark.parametrize(
    ("given", "port"),
    [
        ({"api_port": 8081}, 9081),
        ({"api_port": 65_535}, 64_535),
        ({"api_port": 0}, 0),
        ({"api_port": 8081, "metrics_port": 0}, 0),
        ({"api_port": 8081, "metrics_port": 9464}, 9464),
    ],
)
def test_metrics_have_a_port_of_their_own(given: dict[str, int], port: int) -> None:
    assert settings_of(**given).port_of_metrics == port


def test_proxies_are_named_by_address_or_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUIQUN_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1")
    assert settings_of().trusted_proxies == ("10.0.0.0/8", "2001:db8::1")
    for wrong in ("*", "ingress.example", "10.0.0.1/8"):
        with pytest.raises(ValidationError, match="trusted_proxies"):
            settings_of(trusted_proxies=wrong)
