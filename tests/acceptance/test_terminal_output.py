"""What the commands of this repository print cannot steer the terminal, whoever has written it."""

import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from huiqun.files.reading import ParsedRows, RowFault
from local import tables
from local.check import Check
from local.console import run_to_the_end
from local.errors import ServerFailedError
from local.people.morning import Deed
from local.people.scene import Played
from local.replay import output
from local.replay.counting import Count
from local.replay.files import Rows
from local.replay.following import Heard

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
    scene = Played(Check("claim", [HOSTILE]), [Deed("王", HOSTILE[:60], "it came")])
    for table in (tables.checked("title", [Check("claim", [HOSTILE])]), tables.scenes([scene])):
        assert_harmless(printed(table))
    assert_harmless(printed(tables.counts(Counter({HOSTILE: 1}))))


def test_the_result_of_a_replay_prints_file_names_and_rows_so() -> None:
    rows: Rows = ParsedRows((), (RowFault(1, "row", f"has no {HOSTILE}"),))
    count = Count(0, 0, Heard(frozenset()), Counter(), 0, 1.0)
    assert_harmless(printed(output.result("comments.csv", rows, count)))
    assert not set(printed(output.result(HOSTILE, ParsedRows((), ()), count))) & CONTROLS
    assert "[red]comments.csv" in printed(output.result("[red]comments.csv", ParsedRows((), ()), count))


def test_the_end_of_a_log_is_shown_so_when_a_server_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(HOSTILE, encoding="utf-8")

    async def failing(_: Console) -> int:
        raise ServerFailedError("mongod", "has ended", log)

    assert run_to_the_end(failing) == 1
    assert_harmless(capsys.readouterr().out)
