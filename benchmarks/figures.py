"""What was measured against what was promised: the figures, their targets, the table and the file."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


class BenchmarkError(RuntimeError):
    """A measurement did not come about: a process ended, nothing arrived in time, or messages are missing."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to reach."""

    bound: Literal["at least", "at most"]
    value: float

    def is_met_by(self, measured: float) -> bool:
        """Whether the figure keeps the promise."""
        return measured >= self.value if self.bound == "at least" else measured <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; without a target it is there to explain another."""

    name: str
    value: float
    unit: str
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether it meets its target; None where it has none."""
        return self.target.is_met_by(self.value) if self.target is not None else None


@dataclass(slots=True)
class Result:
    """What one measurement found: the figures, how they were taken, and whatever explains them."""

    measurement: str
    figures: list[Figure] = field(default_factory=list)
    method: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def at_least(value: float) -> Target:
    """The figure should be this or more."""
    return Target("at least", value)


def at_most(value: float) -> Target:
    """The figure should be this or less."""
    return Target("at most", value)


def print_figures(console: Console, results: list[Result]) -> None:
    """Print the table, and below it how each figure was taken."""
    table = Table(title="Huiqun, measured", title_justify="left")
    for heading, justify in (("measure", "left"), ("target", "right"), ("measured", "right"), ("", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type] # the loop widens the literals
    for result in results:
        table.add_section()
        table.add_row(f"[bold]{result.measurement}[/bold]")
        for figure in result.figures:
            target = f"{figure.target.bound} {format_number(figure.target.value)}" if figure.target else ""
            met = {True: "[green]met[/green]", False: "[red]not met[/red]", None: ""}[figure.met]
            table.add_row(f"  {figure.name}", target, f"{format_number(figure.value)} {figure.unit}", met)
    console.print(table)
    for result in results:
        console.print(f"[bold]{result.measurement}[/bold]: {result.method}", highlight=False)


def write_results(results: list[Result], machine: dict[str, Any], run: dict[str, Any]) -> Path:
    """Write everything as JSON below benchmarks/results/ and return where."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    content = {"machine": machine, "run": run, "results": [_plain(result) for result in results]}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def format_number(value: float) -> str:
    """A number as a person reads it: thousands apart, and no more decimals than say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _plain(result: Result) -> dict[str, Any]:
    plain = asdict(result)
    plain["figures"] = [{**asdict(figure), "met": figure.met} for figure in result.figures]
    return plain
