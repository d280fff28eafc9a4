"""`python -m local.replay FILE`: send a file through moderation, then count; exits 0 if nothing is lost or doubled."""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import MODERATION_DECISIONS, dead_letters_of
from huiqun.files.reading import UnreadableFileError
from huiqun.kafka import Publisher
from local.console import run_to_the_end
from local.directories import run_directory
from local.replay import output
from local.replay.counting import ReplayCount, list_archived_verdicts
from local.replay.files import ReplayRows, read_texts
from local.replay.following import VerdictLog, collect_verdicts, send_events
from local.replay.messages import GroupSpread, key_of, make_events
from local.replay.target import SERVICE, ReplayTarget, open_target
from local.settling import describe_backlog, open_lags
from local.topics import count_records, open_reader


async def replay(options: argparse.Namespace, rows: ReplayRows, console: Console) -> int:
    """Send the rows and count the verdicts; the exit code."""
    spread = GroupSpread(options.groups, options.members)
    events = list(make_events(rows.records, spread, datetime.now(UTC)))
    with run_directory("replay") as logs:
        async with open_target(logs) as where:
            count = await follow(events, where, options.rate, console)
    console.print(output.result_table(options.file.name, rows, count))
    return 0 if count.right else 1


async def follow(events: Sequence[Event], where: ReplayTarget, rate: float | None, console: Console) -> ReplayCount:
    """Send the events, wait for their verdicts under a progress bar, and count."""
    keys = [key for event in events if (key := key_of(event)) is not None]
    known = await list_archived_verdicts(where.database, set(keys))
    heard = VerdictLog(frozenset(keys) - known.keys())
    letters = dead_letters_of(SERVICE)
    publisher = Publisher(where.kafka)
    async with (
        open_reader(where.kafka, MODERATION_DECISIONS, from_start=False) as decisions,
        open_lags(where.kafka, [SERVICE]) as (lag,),
    ):
        dead = await count_records(where.kafka, letters)
        started = time.monotonic()
        sending = asyncio.create_task(send_events(events, publisher, rate))

        async def idle() -> bool:
            return sending.done() and not await describe_backlog([lag], where.database)

        try:
            with output.progress_bar(console) as progress:
                judging = progress.add_task("Judging", total=len(heard.wanted))
                await collect_verdicts(
                    heard, decisions, idle, lambda judged: progress.update(judging, completed=judged)
                )
            seconds = time.monotonic() - started
            await sending
        finally:
            sending.cancel()
            await publisher.stop()
        dead = await count_records(where.kafka, letters) - dead
    verdicts = await list_archived_verdicts(where.database, heard.wanted)
    return ReplayCount(len(events), len(heard.wanted), heard, Counter(verdicts.values()), dead, seconds)


def main() -> int:
    """Parse the command line, read the file, replay it."""
    parser = argparse.ArgumentParser(prog="python -m local.replay", description=__doc__)
    parser.add_argument("file", type=Path, help="CSV with a column of texts, or .jsonl of events or objects with text")
    parser.add_argument("--column", help='which column (or JSON field) has the text (default: "text")')
    parser.add_argument("--rate", type=float, help="messages a second (default: as fast as it goes)")
    parser.add_argument("--groups", type=int, default=20, help="spread the texts over so many groups")
    parser.add_argument("--members", type=int, default=50, help="and so many members in each")
    options = parser.parse_args()
    if min(options.groups, options.members) < 1 or (options.rate is not None and options.rate <= 0):
        parser.error("--rate, --groups and --members are positive numbers")
    try:
        rows = read_texts(options.file, options.column)
    except UnreadableFileError as error:
        parser.exit(2, f"{error}\n")
    return run_to_the_end(partial(replay, options, rows))


if __name__ == "__main__":
    sys.exit(main())
