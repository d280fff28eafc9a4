"""`huiqun moderation backtest-policy`: judge archived messages once more under a version of a policy."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from huiqun.cli.terminal import (
    exit_with_error,
    notes,
    open_database,
    output,
    printable_line,
    printable_text,
    run_command,
)
from huiqun.store import OutsideTransaction
from moderation.backtest.handlers import run_backtest
from moderation.backtest.model import RequestBacktestCommand
from moderation.policies.model import PolicyNotFoundError
from moderation.rulebook.handlers import RulebookKeeper

_SAMPLES = 3


def backtest_policy(
    policy: Annotated[str, typer.Argument(help="The policy's id, such as default.")],
    version: Annotated[int, typer.Argument(help="The number of the version; it need not be in force.")],
    since: Annotated[str, typer.Option("--from", help="Messages sent then or later: 2026-11-01, or with a time.")],
    until: Annotated[str | None, typer.Option("--to", help="Messages sent before then; now by default.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Only this group; may be given several times.")] = None,
) -> None:
    """Judge archived messages once more under a version of a policy, and show what comes out differently."""
    end = _moment(until) if until else datetime.now(UTC)
    command = RequestBacktestCommand(policy, version, _moment(since), end, tuple(group or ()))
    if command.since >= command.until:
        exit_with_error("The period has to begin before it ends.")
    _show_report(run_command(_run(command)))


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        exit_with_error(f"{text} is no date: write 2026-11-01, or 2026-11-01T08:00:00+08:00.")


async def _run(command: RequestBacktestCommand) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with open_database("moderation") as database:
        keeper = RulebookKeeper(database)
        await keeper.refresh()
        with Progress(*columns, console=notes) as bar:
            task = bar.add_task(command.label, total=None)

            async def show_progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            try:
                return await run_backtest(OutsideTransaction(database), keeper.current(), command, show_progress)
            except PolicyNotFoundError:
                exit_with_error(f"There is no {command.label}.")


def _show_report(report: dict[str, Any]) -> None:
    output.print(printable_text(f"{report['policy']} over {report['messages']:,} messages"), style="bold")
    table = Table()
    for heading in ("rule", "category", "before", "after", "added", "lost"):
        table.add_column(heading, justify="left" if heading in {"rule", "category"} else "right")
    for row in report["rules"]:
        table.add_row(
            printable_line(row["rule"]),
            printable_line(row["category"]),
            *(f"{row[name]:,}" for name in ("before", "after", "added", "lost")),
        )
    output.print(table)
    for change in report["verdicts"]:
        if change["before"] != change["after"]:
            output.print(f"{change['messages']:,} from {change['before']} to {change['after']}", highlight=False)
    for row in report["rules"]:
        for name in ("added", "lost"):
            for sample in row[f"{name}_samples"][:_SAMPLES]:
                words = f"{name}: {row['rule']} {row['category']}: {sample['text']}"
                output.print(printable_line(words))
    speed = f"{report['seconds']:.1f} s, {report['messages_per_second']:,} messages a second"
    output.print(f"{speed}. {report['notes']}", style="dim", highlight=False)
