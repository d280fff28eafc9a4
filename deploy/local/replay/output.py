"""What a replay shows: a bar while it runs, a table at the end."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from huiqun.cli.terminal import printable_text
from local.counts import COLOURS, format_counts
from local.replay.counting import ReplayCount
from local.replay.files import ReplayRows

_SHOWN_FAULTS = 5


class _Speed(ProgressColumn):
    """Messages a second since the start."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed / task.elapsed:,.0f} messages/s" if task.elapsed else "")


def progress_bar(console: Console) -> Progress:
    """A bar with messages a second and the time that is left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
    return Progress(*columns, console=console)


def result_table(name: str, rows: ReplayRows, count: ReplayCount) -> Table:
    """The figures, each with a tick or a cross where it has to be right."""
    table = Table(title=printable_text(f"\n{name}", "bold"), title_justify="left", box=None, show_header=False)
    heard = count.heard
    table.add_row("", "sent", f"{count.sent:,}" + _again(count))
    table.add_row("", "verdicts", format_counts(count.verdicts, COLOURS))
    table.add_row(_mark(good=count.archived == count.messages), "in MongoDB", _one_each(count.archived, count.messages))
    good = heard.complete and heard.judged_again == 0
    table.add_row(_mark(good=good), "on the topic", _one_each(len(heard.screened), count.messages))
    if heard.judged_again:
        table.add_row("", "", Text(f"{heard.judged_again:,} have several different verdicts", "red"))
    table.add_row("", "published again", f"{heard.published_again:,} events, under the same id")
    table.add_row("", "dead letters", f"{count.dead:,}")
    table.add_row("", "time", f"{count.seconds:,.1f} s, {len(heard.screened) / count.seconds:,.0f} messages/s")
    table.add_row("", "rows not sent", f"{len(rows.faults):,}{' and what follows' if rows.is_cut_off else ''}")
    for fault in rows.faults[:_SHOWN_FAULTS]:
        table.add_row("", "", printable_text(f"line {fault.line}: {fault.field} {fault.reason}", "yellow"))
    return table


def _again(count: ReplayCount) -> str:
    twice = count.sent - count.messages
    return f", of which {twice:,} are no new messages" if twice else ""


def _one_each(found: int, wanted: int) -> str:
    return f"{found:,}, one for each" if found == wanted else f"{found:,} of {wanted:,}"


def _mark(*, good: bool) -> Text:
    return Text("✓", "green") if good else Text("✗", "bold red")
