"""What a person sees at the end of a run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.channel import Transcript
from local.check import Check
from local.day import Day
from local.observed import Document, Observed
from local.people.morning import Morning
from local.services import Service
from local.story.model import Edits, Says
from local.story.script import TIMEZONE

COLOURS: Final = {"allow": "green", "warn": "yellow", "review": "magenta", "block": "red"}
_LONGEST: Final = 19
_WIDTH_FOR_NOTES: Final = 110


def moments(day: Day, *, notes: bool) -> Table:
    """The noted messages: who wrote what, and what came of it; texts as they are archived, masked."""
    table = _table("Moments of the day")
    widths = {"": 5, "who": 6, "wrote": None, "what came of it": 31} | ({"what it shows": None} if notes else {})
    for column, width in widths.items():
        table.add_column(column, no_wrap=True, min_width=width)
    sanctions = {sanction.message_id: sanction.kind.value for sanction in day.seen.sanctions}
    for step in day.steps:
        document = day.seen.archived.get(step.key)
        if not isinstance(step.entry, Says | Edits) or not step.entry.note or document is None:
            continue
        row = (
            step.at.astimezone(TIMEZONE).strftime("%H:%M"),
            step.chat.cast[document["member_id"]].name.partition("-")[0],
            _shortened(document["text"]),
            _outcome(document, sanctions.get(step.key.partition("/")[0])),
        )
        table.add_row(*row, *([Text(step.entry.note, "dim")] if notes else []))
    return table


def deeds(morning: Morning) -> Table:
    """What people did over HTTP and in the groups."""
    table = _table("What people did the morning after")
    table.add_column("who", no_wrap=True, min_width=6)
    table.add_column("did")
    table.add_column("what came of it")
    for deed in morning.deeds:
        table.add_row(deed.who, deed.did, Text(deed.came, "dim"))
    return table


def summary(seen: Observed, transcript: Transcript) -> Table:
    """What each service decided and did."""
    table = _table("What they did", "", "", "")
    sanctions = Counter(sanction.kind.value.replace("_", " ") for sanction in seen.sanctions)
    table.add_row("moderation", "verdicts", counts(seen.verdicts, COLOURS))
    table.add_row("", "sanctions", counts(sanctions))
    for kind in sorted({action["kind"] for action in seen.actions}):
        states = Counter(action["state"] for action in seen.actions if action["kind"] == kind)
        table.add_row("", kind.replace("_", " "), counts(states))
    for name, documents in seen.documents.items():
        if name != "moderation":
            table.add_row(name, "documents", counts(+Counter(documents)))
        if seen.dead[name]:
            table.add_row("" if name == "moderation" else name, "dead letters", str(len(seen.dead[name])))
    table.add_row("channel", "kept back", f"{len(transcript.withheld)} messages of muted members")
    return table


def checked(title: str, checks: Sequence[Check]) -> Table:
    """The checks, each with a tick or with what speaks against it."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
    for check in checks:
        mark = Text("✓", "green") if check.holds else Text("✗", "bold red")
        table.add_row(mark, check.claim)
        if not check.holds:
            table.add_row("", Text(check.summary, "red"))
    return table


def addresses(services: Sequence[Service]) -> Table:
    """Where each service answers."""
    table = _table("Running", "", "", "", "")
    for service in services:
        pages = ("readyz", "metrics", "api/v1/openapi.json")
        table.add_row(service.name, *(f"{service.url}/{page}" for page in pages))
    return table


def show_day(console: Console, day: Day, transcript: Transcript) -> None:
    """The moments of the day and what the services did."""
    show(
        console,
        moments(day, notes=console.width >= _WIDTH_FOR_NOTES),
        deeds(day.morning),
        summary(day.seen, transcript),
    )


def show(console: Console, *tables: Table) -> None:
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


def _outcome(document: Document, sanction: str | None) -> Text:
    verdict = document["verdict"]
    worst = max(document.get("reasons", ()), key=lambda reason: reason["severity"], default=None)
    why = f" {worst['category']}" if worst else ""
    then = f" → {sanction}" if sanction else ""
    return Text(f"{verdict}{why}{then}".replace("_", " "), COLOURS[verdict])


def counts(numbers: Counter[str], colours: dict[str, str] | None = None) -> Text:
    parts: Iterator[tuple[str, str]] = (
        (f"{number:,} {name}", (colours or {}).get(name, "")) for name, number in numbers.most_common()
    )
    return Text("  ").join(Text(words, colour) for words, colour in parts)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
