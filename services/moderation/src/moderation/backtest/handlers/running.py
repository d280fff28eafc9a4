"""Run a trial: read the archive of the period once, in order, and judge it under the version."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from huiqun.store import Cursor, Reader
from moderation.archive import store as archive
from moderation.backtest.model import WARM_UP, Counted, Replay, Trial, policies_in, scope_of
from moderation.policies.handlers import POLICIES
from moderation.policies.model import PolicyVersion
from moderation.rule_exceptions.store import list_exceptions_in_force
from moderation.rulebook.model import Rulebook
from moderation.screening.shipped import shipped_classifier
from moderation.standing import store as standings

#: Called with how many messages are judged and how many there are; what it raises ends the trial.
Report = Callable[[int, int], Awaitable[None]]
_PORTION = 2_500
_PART_CHARACTERS = 100_000
_NOTES = (
    "Personal data is masked in the archive: what was found of it is carried over from the records, and so are "
    "contacts in masked digits and findings that do not rest on the message, such as consent and modes. "
    "Counting rules know the 25 hours before the period. Reports and appeals count as any other message. "
    "Members who wrote before the period count as having said as much of substance as they have by now."
)


async def run_trial(reader: Reader, book: Rulebook, trial: Trial, report: Report) -> dict[str, Any]:
    """Judge the messages of the period under the version and report what comes out differently.

    Judged by the lexicon of `book`, in a thread, so that others get their turn. Raises UnknownPolicyError.
    """
    version = await POLICIES.get_version(reader, trial.policy_id, trial.version)
    exceptions = await list_exceptions_in_force(reader, trial.since)
    tried = policies_in(trial, PolicyVersion.from_version(version), book.policies, exceptions)
    span = archive.Span(trial.since - WARM_UP, trial.since, trial.until, scope_of(trial, tried))
    total = await archive.count(reader, span)
    total = total if trial.limit is None else min(total, trial.limit)
    rulebook = Rulebook(tried, book.lexicon, book.lexicon_version, book.bits)
    known = {}
    if any(policy.rules.probation is not None for policy in tried.list_policies()):
        known = await standings.acquaintances(reader, span.groups, before=span.warm_up)
    replay = Replay(rulebook, shipped_classifier, Counted(trial.since, trial.limit), datetime.now(UTC).date(), known)
    started = time.perf_counter()
    async with aclosing(_read_ahead(archive.replay(reader, span))) as portions:
        async for documents in portions:
            for part in _parts(documents):
                await asyncio.to_thread(replay.take, part)
                await report(min(replay.tally.messages, total), total)
            if trial.limit is not None and replay.tally.messages >= trial.limit:
                break
    seconds = time.perf_counter() - started
    return {
        **replay.tally.report(),
        "policy": trial.label,
        "lexicon": book.lexicon_version,
        "seconds": round(seconds, 3),
        "messages_per_second": round(replay.tally.messages / seconds) if replay.tally.messages else 0,
        "notes": _NOTES,
    }


def _parts(documents: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """The documents in parts that are judged in a second or so at worst: so long it takes to stop, and to say that
    somebody is at work on it."""
    start = characters = 0
    for index, document in enumerate(documents):
        characters += len(document.get("text") or "")
        if characters >= _PART_CHARACTERS:
            yield documents[start : index + 1]
            start, characters = index + 1, 0
    if start < len(documents):
        yield documents[start:]


async def _read_ahead(cursor: Cursor) -> AsyncGenerator[Sequence[dict[str, Any]], None]:
    """The documents in portions; while one is worked on, the next is on its way. Who stops early closes the cursor."""
    reading = asyncio.ensure_future(cursor.to_list(_PORTION))
    try:
        while documents := await reading:
            reading = asyncio.ensure_future(cursor.to_list(_PORTION))
            yield documents
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await cursor.close()
