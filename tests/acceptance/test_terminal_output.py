"""What the commands of this repository print cannot steer the terminal, whoever has written it."""

import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from demo import tables
from demo.check import CheckResult
from demo.people.morning import LoggedDeed
from demo.people.scene import PlayedScene
from huiqun.files.reading import ParsedRows, RowFault
from local.console import run_to_the_end
from local.counts import format_counts
from local.errors import ServerFailedError
from local.replay import output
from local.replay.counting import ReplayCount
from local.replay.files import ReplayRows
from local.replay.following import VerdictLog

# Clears the screen, sets the title, turns the direction of writing, pretends to be markup and a link.
HOSTILE = "\x1b[2J\x1b]0;root\x07\u202e[bold red]ok[/][link=http://x.example]"
CONTROLS = set("\x1b\x07\u202e")
MARKUP = "[bold red]ok[/][link=http://x.example]"


def assert_harmless(shown: str) -> None:
    assert not set(shown) & CONTROLS
    assert MARKUP in shown


def printed(*renderables: object) -> str:
    screen = io.StringIO()
    Console(file=screen, width=400).print(*renderables)
    return screen.getvalue()


def test_the_tables_of_a_day_print_texts_as_they_are_and_without_control_characters() -> None:
    scene = PlayedScene(CheckResult("claim", [HOSTILE]), [LoggedDeed("王", HOSTILE[:60], "it came")])
    for table in (tables.checks_table("title", [CheckResult("claim", [HOSTILE])]), tables.scenes_table([scene])):
        assert_harmless(printed(table))
    assert_harmless(printed(format_counts(Counter({HOSTILE: 1}))))


def test_the_result_of_a_replay_prints_file_names_and_rows_so() -> None:
    rows: ReplayRows = ParsedRows((), (RowFault(1, "row", f"has no {HOSTILE}"),))
    count = ReplayCount(0, 0, VerdictLog(frozenset()), Counter(), 0, 1.0)
    assert_harmless(printed(output.result_table("comments.csv", rows, count)))
    assert not set(printed(output.result_table(HOSTILE, ParsedRows((), ()), count))) & CONTROLS
    assert "[red]comments.csv" in printed(output.result_table("[red]comments.csv", ParsedRows((), ()), count))


def test_the_end_of_a_log_is_shown_so_when_a_server_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(HOSTILE, encoding="utf-8")

    async def failing(_: Console) -> int:
        raise ServerFailedError("mongod", "has ended", log)

    assert run_to_the_end(failing) == 1
    assert_harmless(capsys.readouterr().out)
