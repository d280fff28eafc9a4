"""However a run on this machine is cut short: one line, no traceback, and nothing left for the next one."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from huiqun.testing.waiting import eventually
from local.directories import (
    LOCK,
    PREFIX,
    UnusableDirectoryError,
    create_temporary_directory,
    remove_abandoned,
    run_directory,
)
from local.ports import accepts_connections

Process = asyncio.subprocess.Process
# Where `demo` lies, which nobody installs.
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the processes of a test keep their data."""
    path = tmp_path / "tmp"
    path.mkdir()
    return path


@contextlib.asynccontextmanager
async def started(directory: Path, *command: str, **variables: str) -> AsyncIterator[Process]:
    """A command with its output in a pipe; killed at the end of the context if it still runs."""
    environment: Mapping[str, str] = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(directory / "tmp"),
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env={**environment, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


async def output_of(process: Process) -> str:
    output, _ = await asyncio.wait_for(process.communicate(), 180)
    return output.decode()


async def read_until(process: Process, wanted: str) -> str:
    assert process.stdout is not None
    seen = ""
    while wanted not in seen:
        line = await asyncio.wait_for(process.stdout.readline(), 360)
        assert line, seen
        seen += line.decode()
    return seen


def data_of(temporary: Path) -> list[Path]:
    return sorted(temporary.glob(f"{PREFIX}*"))


async def processes_with(text: str) -> list[str]:
    """The command lines of processes that have this text in theirs."""
    listed = await asyncio.create_subprocess_exec("ps", "-eww", "-o", "args", stdout=asyncio.subprocess.PIPE)
    return [line for line in (await listed.communicate())[0].decode().splitlines() if text in line]


def is_one_line(output: str) -> bool:
    """Whether what follows the last thing that was reported is that it has stopped, and nothing else."""
    return "Traceback" not in output and output.count("Stopped.") == 1 and output.rstrip().endswith("Stopped.")


MOMENTS = ("Starting MongoDB", "Writing the policies", "Starting the services")


@pytest.mark.parametrize(
    ("moment", "number"), [*((moment, signal.SIGINT) for moment in MOMENTS), (MOMENTS[0], signal.SIGTERM)]
)
async def test_an_interrupt_at_any_step_ends_with_one_line(
    moment: str, number: signal.Signals, temporary: Path
) -> None:
    async with started(temporary.parent, *python("demo.run")) as process:
        await read_until(process, moment)
        await asyncio.sleep(random.Random(moment).uniform(0, 0.3))  # anywhere in the step, not only at its beginning
        process.send_signal(number)
        assert is_one_line(output := await output_of(process)), output
    assert process.returncode == 130
    assert data_of(temporary) == []
    assert await processes_with(str(temporary)) == []


@pytest.mark.parametrize("milliseconds", [0, 200, 1_000])
async def test_an_interrupt_before_anything_has_begun_ends_with_one_line(milliseconds: int, temporary: Path) -> None:
    """Python itself starts, then the imports run, then the servers begin."""
    async with started(temporary.parent, *python("demo")) as process:
        await eventually(lambda: has_begun(process))
        await asyncio.sleep(milliseconds / 1_000)
        process.send_signal(signal.SIGINT)
        assert is_one_line(output := await output_of(process)), output
    assert process.returncode == 130


def has_begun(process: Process) -> bool:
    """Whether Python has taken the signal from the kernel's hands, as it does while it looks for the module."""
    for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "SigCgt":
            return bool(int(value, 16) >> (signal.SIGTERM - 1) & 1)  # Python alone does not catch that one
    return False


async def test_a_second_interrupt_ends_at_once_with_the_same_line(temporary: Path) -> None:
    async with started(temporary.parent, *python("demo.run")) as process:
        await read_until(process, "Starting the services")
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.02)
        assert is_one_line(output := await output_of(process)), output
    assert process.returncode == 130
    await eventually(lambda: nothing_runs(temporary))


async def nothing_runs(temporary: Path) -> bool:
    return not await processes_with(str(temporary))


async def test_the_stack_that_stays_up_ends_with_one_line_too(temporary: Path) -> None:
    async with started(temporary.parent, *python("local"), "up") as process:
        seen = await read_until(process, "Ctrl-C stops both")
        process.send_signal(signal.SIGINT)
        assert is_one_line(output := seen + await output_of(process)), output
    assert process.returncode == 0
    assert data_of(temporary) == []


async def test_the_next_start_removes_what_a_killed_run_left_and_not_a_living_one_s(
    temporary: Path,
) -> None:
    async with started(temporary.parent, *python("local"), "up") as living:
        ports = ports_in(await read_until(living, "Ctrl-C stops both"))
        (kept,) = data_of(temporary)
        async with started(temporary.parent, *python("local"), "up") as killed:
            await read_until(killed, "Ctrl-C stops both")
            (left,) = set(data_of(temporary)) - {kept}
            killed.kill()
            await killed.wait()
        await eventually(lambda: nothing_runs(left))
        assert left.exists()
        async with started(temporary.parent, *python("local"), "up") as following:
            await read_until(following, "Ctrl-C stops both")
            assert not left.exists()
            assert kept.exists()
            assert all(map(accepts_connections, ports))


def ports_in(output: str) -> list[int]:
    urls = [line for line in output.splitlines() if line.startswith(("HUIQUN_MONGO_URL", "HUIQUN_KAFKA_BOOTSTRAP"))]
    return [int(line.rsplit(":", 1)[1].split("/")[0]) for line in urls]


async def test_a_run_ends_when_the_make_that_started_it_is_killed(temporary: Path) -> None:
    script = temporary.parent / "makefile"
    script.write_text(f"up:\n\t{sys.executable} -m local up\n", encoding="utf-8")
    async with started(temporary.parent, "make", "-s", "-f", str(script), "up") as make:
        await read_until(make, "Ctrl-C stops both")
        make.kill()
        await make.wait()
        await eventually(lambda: nothing_runs(temporary))
        await eventually(lambda: data_of(temporary) == [])


def test_runs_side_by_side_have_directories_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with run_directory("run") as first:
        (first / "moderation.log").write_text("of the first\n", encoding="ascii")
        with run_directory("run") as second, run_directory("run") as third, run_directory("demo") as other:
            assert len({first, second, third, other}) == 4
        with run_directory("run") as again:
            assert again == second
            assert not third.exists(), "nobody's any more"
        assert (first / "moderation.log").read_text(encoding="ascii") == "of the first\n"
    with run_directory("run") as next_one:
        assert next_one == first
        assert {path.name for path in next_one.iterdir()} == {LOCK}, "the logs of an earlier run are gone"


def test_only_what_a_process_of_ours_has_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = create_temporary_directory()
    others = tmp_path / f"{PREFIX}of-somebody-else"
    others.mkdir()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(others)
    dead = create_temporary_directory()
    dead.release()
    remove_abandoned(tmp_path, f"{PREFIX}*")
    assert not dead.path.exists()
    assert living.path.exists()
    assert others.exists()
    assert link.is_symlink()
    living.remove()
    assert not living.path.exists()


def a_file(run: Path) -> None:
    run.write_text("not a directory", encoding="ascii")


def a_dangling_link(run: Path) -> None:
    run.symlink_to(run.parent / "nowhere")


def a_link_to_itself(run: Path) -> None:
    run.symlink_to(run)


def a_directory_with_a_file_in_the_way(run: Path) -> None:
    run.mkdir()
    (run / "demo").write_text("not a directory", encoding="ascii")


def one_that_takes_nothing(run: Path) -> None:
    run.symlink_to("/proc/self/task")  # also where the tests run as root


OBSTACLES = (
    a_file,
    a_dangling_link,
    a_link_to_itself,
    a_directory_with_a_file_in_the_way,
    one_that_takes_nothing,
)


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_is_in_the_way_of_a_run_directory_is_named(
    obstacle: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    obstacle(tmp_path / ".run")
    with pytest.raises(UnusableDirectoryError, match=r"\.run.* cannot be used: [^\n]+\.$"), run_directory("demo"):
        pass


@pytest.mark.parametrize("obstacle", [a_file, a_dangling_link])
async def test_a_run_directory_that_cannot_be_used_ends_a_run_with_one_sentence(
    obstacle: Callable[[Path], None], temporary: Path
) -> None:
    obstacle(temporary.parent / ".run")
    async with started(temporary.parent, *python("demo")) as process:
        output = await output_of(process)
    assert process.returncode == 2
    assert len(output.strip().splitlines()) == 1
    assert ".run cannot be used" in output.replace(".run/demo", ".run")
    assert data_of(temporary) == []
