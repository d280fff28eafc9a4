"""What a person sees at the end of a run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.capability_evidence import CapabilityEvidence
from demo.check import CheckResult
from demo.day import PlayedDay
from demo.observed import ObservedRun
from demo.people.morning import LoggedDeed
from demo.people.scene import PlayedScene
from demo.story.capabilities import SECTIONS
from demo.story.model import Edits, Says
from huiqun.cli.terminal import printable_text
from local.channel import Transcript
from local.counts import COLOURS, format_counts
from local.days import TIMEZONE
from local.services import Service

_LONGEST: Final = 18
_WIDTH_FOR_NOTES: Final = 130


def moments_table(day: PlayedDay, *, notes: bool) -> Table:
    """The noted messages: who wrote what, and what came of it; texts as they are archived, masked."""
    table = _table("Moments of the day")
    widths = {"": 5, "who": 6, "wrote": None, "what came of it": 31, "shows": 8} | ({"that is": None} if notes else {})
    for column, width in widths.items():
        table.add_column(column, no_wrap=True, min_width=width)
    for step in day.steps:
        document = day.seen.archived.get(step.key)
        if not isinstance(step.entry, Says | Edits) or not step.entry.note or document is None:
            continue
        row = (
            step.at.astimezone(TIMEZONE).strftime("%H:%M"),
            printable_text(step.author),
            printable_text(_shortened(document["text"])),
            printable_text(day.seen.outcome(step.key), COLOURS[document["verdict"]]),
            Text(" ".join(step.entry.shows), "dim"),
        )
        table.add_row(*row, *([Text(step.entry.note, "dim")] if notes else []))
    return table


def scenes_table(played: Sequence[PlayedScene]) -> Table:
    """What people did over HTTP and in the groups, scene by scene, each with what it was to show."""
    table = _table("The morning after: what people did, and whether it took effect", "")
    for number, scene in enumerate(played, start=1):
        claim = Text.assemble((f"{f'#{number}':>3} ", "dim"), _mark(holds=scene.check.holds), f" {scene.check.claim}  ")
        table.add_row(claim.append(" ".join(scene.check.shows), "dim"))
        table.add_row(_deeds(scene.deeds))
        if not scene.check.holds:
            table.add_row(printable_text(scene.check.summary, "red"))
    return table


def capabilities_table(found: Mapping[str, Sequence[CapabilityEvidence]]) -> Table:
    """What moderation can do, and where the run has shown it: the first place, and how many more there were."""
    table = _table("What was shown: #scenes are those of the morning after, times those of messages")
    table.expand = True
    for column, width in {"": 1, "id": 3, "what": 50, "where": None, " ": 2}.items():
        table.add_column(column, no_wrap=True, width=width, ratio=None if width else 1)
    for section, capabilities in SECTIONS.items():
        table.add_row("", "", Text(section, "bold"))
        for name, what in capabilities.items():
            seen = found[name]
            holds = bool(seen) and all(each.holds for each in seen)
            where = seen[0].where if seen else "nowhere"
            more = f"+{len(seen) - 1}" if len(seen) > 1 else ""
            table.add_row(_mark(holds=holds), name, what, printable_text(where, "dim"), Text(more, "dim"))
    return table


def summary_table(seen: ObservedRun, transcript: Transcript) -> Table:
    """What each service decided and did."""
    table = _table("What they did", "", "", "")
    sanctions = Counter(sanction.kind.value.replace("_", " ") for sanction in seen.sanctions)
    table.add_row("moderation", "verdicts", format_counts(seen.verdicts, COLOURS))
    table.add_row("", "sanctions", format_counts(sanctions))
    for kind in sorted({action["kind"] for action in seen.actions}):
        states = Counter(action["state"] for action in seen.actions if action["kind"] == kind)
        table.add_row("", kind.replace("_", " "), format_counts(states))
    for name, documents in seen.documents.items():
        if name != "moderation":
            table.add_row(name, "documents", format_counts(+Counter(documents)))
        if seen.dead[name]:
            table.add_row("" if name == "moderation" else name, "dead letters", str(len(seen.dead[name])))
    table.add_row("channel", "kept back", f"{len(transcript.withheld)} messages of muted members")
    return table


def checks_table(title: str, checks: Sequence[CheckResult]) -> Table:
    """The checks, each with a tick or with what speaks against it."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
    for check in checks:
        table.add_row(_mark(holds=check.holds), check.claim)
        if not check.holds:
            table.add_row("", printable_text(check.summary, "red"))
    return table


def addresses_table(services: Sequence[Service]) -> Table:
    """Where each service answers."""
    table = _table("Running", "", "", "", "")
    for service in services:
        api = (f"{service.url}/{page}" for page in ("readyz", "api/v1/openapi.json"))
        table.add_row(service.name, *api, service.metrics_url)
    return table


def print_day(console: Console, day: PlayedDay, transcript: Transcript) -> None:
    """The moments of the day, the morning after, and what the services did."""
    print_tables(
        console,
        moments_table(day, notes=console.width >= _WIDTH_FOR_NOTES),
        scenes_table(day.scenes),
        summary_table(day.seen, transcript),
    )


def print_tables(console: Console, *tables: Table) -> None:
    """Print the tables with air between them."""
    for table in tables:
        console.print()
        console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        show_header=not columns,
        header_style="dim",
        padding=(0, 2, 0, 0),
    )
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _mark(*, holds: bool) -> Text:
    return Text("✓", "green") if holds else Text("✗", "bold red")


def _deeds(deeds: Sequence[LoggedDeed]) -> Table:
    """Who did what, and what came of it, under the claim of their scene."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for width in (4, 6, 39, 45):
        table.add_column(width=width)
    for deed in deeds:
        table.add_row("", printable_text(deed.who), printable_text(deed.did, "dim"), printable_text(deed.came, "dim"))
    return table


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
