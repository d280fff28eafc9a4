"""Running the parts of a process, waiting, health and ids."""

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from huiqun.runtime.health import Heartbeat
from huiqun.runtime.ids import new_id
from huiqun.runtime.waiting import wait_for_stop
from huiqun.service import components
from huiqun.service.components import ComponentEndedError, run_components
from huiqun.service.process import parse_roles


@dataclass
class Scripted:
    """A part that does what the test says, and notes how it ended."""

    name: str
    script: Callable[[asyncio.Event], Awaitable[None]]
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    ended: str = "not yet"

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await self.script(stop)
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "by itself"


async def obey(stop: asyncio.Event) -> None:
    await stop.wait()


async def ignore(_stop: asyncio.Event) -> None:
    await asyncio.Event().wait()


async def leave(_stop: asyncio.Event) -> None:
    """Return although nobody has asked for it."""


async def fail(_stop: asyncio.Event) -> None:
    raise ValueError("the first failure")


async def fail_in_the_end(stop: asyncio.Event) -> None:
    await stop.wait()
    raise ValueError("while stopping")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_all_parts(number: signal.Signals) -> None:
    first, second = Scripted("first", obey), Scripted("second", obey)
    async with asyncio.timeout(5):
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        await run_components([first, second], asyncio.Event())
    assert (first.ended, second.ended) == ("by itself", "by itself")


async def test_the_signal_handlers_are_gone_afterwards() -> None:
    stop = asyncio.Event()
    stop.set()
    await run_components([Scripted("only", obey)], stop)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


async def test_the_first_failure_stops_the_others_and_is_the_one_raised() -> None:
    others = [Scripted(f"other {number}", fail_in_the_end) for number in range(10)]
    with pytest.raises(ValueError, match="the first failure"):
        await run_components([*others, Scripted("failing", fail)], asyncio.Event())


async def test_a_failure_while_stopping_is_raised() -> None:
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(ValueError, match="while stopping"):
        await run_components([Scripted("good", obey), Scripted("bad", fail_in_the_end)], stop)


async def test_a_part_that_ends_unasked_is_named_and_stops_the_others() -> None:
    other = Scripted("other", obey)
    with pytest.raises(ComponentEndedError, match=r"^leaving$"):
        await run_components([other, Scripted("leaving", leave)], asyncio.Event())
    assert other.ended == "by itself"


async def test_a_part_that_does_not_stop_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "_UNWELL_SECONDS", 0.1)
    monkeypatch.setattr(components, "_GRACE_SECONDS", 0.2)
    stop = asyncio.Event()
    stop.set()
    good, deaf = Scripted("good", obey), Scripted("deaf", ignore)
    async with asyncio.timeout(5):
        await run_components([good, deaf], stop)
    assert (good.ended, deaf.ended) == ("by itself", "cancelled")


async def test_a_part_whose_driver_loses_the_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(components, "_UNWELL_SECONDS", 0.1)
    monkeypatch.setattr(components, "_CANCEL_SECONDS", 0.1)

    async def lose_one(_: asyncio.Event) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    stop = asyncio.Event()
    stop.set()
    losing = Scripted("losing", lose_one)
    await run_components([losing], stop)
    assert losing.ended == "cancelled"


async def test_a_part_that_waits_for_a_server_is_cancelled_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "_UNWELL_SECONDS", 0.1)
    stop = asyncio.Event()
    stop.set()
    waiting = Scripted("waiting", ignore)
    waiting.heartbeat.mark_failing(ConnectionError())
    async with asyncio.timeout(2):
        await run_components([waiting], stop)
    assert waiting.ended == "cancelled"


async def test_waiting_ends_at_once_when_asked_to_stop() -> None:
    stop = asyncio.Event()
    assert await wait_for_stop(stop, 0.01) is False
    asyncio.get_running_loop().call_soon(stop.set)
    async with asyncio.timeout(5):
        assert await wait_for_stop(stop, 3600) is True


def test_a_loop_that_fails_beats_but_is_not_well_until_it_says_so() -> None:
    heartbeat = Heartbeat()
    assert (heartbeat.is_alive, heartbeat.failure) == (True, None)
    heartbeat.mark_failing(ConnectionError())
    heartbeat.beat()
    assert (heartbeat.is_alive, heartbeat.failure) == (True, "ConnectionError")
    heartbeat.mark_healthy()
    assert heartbeat.failure is None


def test_a_loop_that_has_not_gone_round_for_long_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Heartbeat, "stuck_seconds", 0.0)
    assert not Heartbeat().is_alive


def test_ids_are_uuids_of_version_7_and_rise_even_within_a_millisecond() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert all(uuid.UUID(each).version == 7 and uuid.UUID(each).variant == uuid.RFC_4122 for each in ids)


def test_roles_are_all_by_default_and_those_asked_for_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_roles([], "moderation") == {"streams", "tasks", "api"}
    assert parse_roles(["--roles", "api, tasks"], "moderation") == {"tasks", "api"}
    with pytest.raises(SystemExit):
        parse_roles(["--roles", "api,cooking"], "moderation")
    assert "unknown roles: cooking" in capsys.readouterr().err
