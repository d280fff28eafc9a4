"""Backtests: ask for one, see how it gets on, call it off, and run it, as the task of a backtest does."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from huiqun.runtime.errors import NotFoundError
from huiqun.runtime.ids import new_id
from huiqun.store import Cursor, Reader
from huiqun.tasks.model import Effect, TaskRun
from huiqun.work import Task, Work
from moderation.archive.handlers import count_replayed_messages, open_replay
from moderation.archive.model import ReplayPeriod
from moderation.backtest import store
from moderation.backtest.model import (
    OPEN_STATES,
    RUN_BACKTEST,
    WARM_UP,
    Backtest,
    RequestBacktestCommand,
    backtest_task_key,
    groups_in_scope,
    policies_under_version,
)
from moderation.classifier.handlers import load_shipped_classifier
from moderation.policies.handlers import POLICIES, save_backtest_summary
from moderation.policies.model import PolicyVersion
from moderation.replay.model import ArchiveReplay, ReportedRange
from moderation.rule_exceptions.handlers import list_exceptions_in_force
from moderation.rulebook.model import Rulebook
from moderation.standings.handlers import list_acquaintances

#: Called with how many messages are judged and how many there are; what it raises ends the backtest.
ReportProgress = Callable[[int, int], Awaitable[None]]
_PORTION: Final = 2_500
_PART_CHARACTERS: Final = 100_000
_PROGRESS_SECONDS: Final = 1.0
_NOTES: Final = (
    "Personal data is masked in the archive: what was found of it is carried over from the records, and so are "
    "contacts in masked digits and findings that do not rest on the message, such as consent and modes. "
    "Counting rules know the 25 hours before the period. Reports and appeals count as any other message. "
    "Members who wrote before the period count as having said as much of substance as they have by now."
)


class BacktestNotFoundError(NotFoundError):
    """There is no such backtest of this version."""


class UnfitBacktestError(ValueError):
    """A backtest needs a period that begins before it ends."""


async def request_backtest(work: Work, command: RequestBacktestCommand, actor: str) -> Backtest:
    """Have a version tried by whoever has time for it. Raises PolicyNotFoundError, UnfitBacktestError."""
    await POLICIES.get_version(work, command.policy_id, command.version)
    if command.since >= command.until:
        raise UnfitBacktestError(f"{command.since.isoformat()} is not before {command.until.isoformat()}")
    backtest = Backtest(new_id(), command, "waiting", 0, None, actor, work.now)
    await store.insert_backtest(work, backtest)
    work.schedule(Task(backtest_task_key(backtest.id), RUN_BACKTEST, work.now, {"backtest_id": backtest.id}))
    return backtest


async def cancel_backtest(work: Work, policy_id: str, version: int, backtest_id: str) -> Backtest:
    """End a backtest; one that has ended stays as it is. Raises BacktestNotFoundError."""
    backtest = await get_backtest(work, policy_id, version, backtest_id)
    if backtest.state not in OPEN_STATES:
        return backtest
    await store.mark_backtest_cancelled(work, backtest_id)
    work.cancel(backtest_task_key(backtest_id))
    return replace(backtest, state="cancelled", finished_at=work.now)


async def get_backtest(reader: Reader, policy_id: str, version: int, backtest_id: str) -> Backtest:
    """The backtest with its report, if it has come to its end. Raises BacktestNotFoundError."""
    backtest = await store.find_backtest(reader, backtest_id)
    if backtest is None or (backtest.command.policy_id, backtest.command.version) != (policy_id, version):
        raise BacktestNotFoundError(backtest_id)
    return backtest


async def list_backtests(
    reader: Reader, policy_id: str, version: int, before: str | None, limit: int
) -> list[Backtest]:
    """The backtests of a version, newest first, before the given one. Raises PolicyNotFoundError."""
    await POLICIES.get_version(reader, policy_id, version)
    return await store.list_backtests(reader, policy_id, version, before, limit)


def backtest_effect(reader: Reader, rulebook: Callable[[], Rulebook]) -> Effect:
    """Make the effect that runs a backtest by the lexicon in force; what a crash leaves behind is begun anew.

    It is run outside of any transaction, and recorded with the task's end.
    """

    async def call(run: TaskRun) -> dict[str, Any] | None:
        backtest = await store.find_backtest(reader, run.task.payload["backtest_id"])
        if backtest is None:
            return None
        return await run_backtest(reader, rulebook(), backtest.command, _report_to_task(run))

    return Effect(call, _record_report, _record_failure)


async def run_backtest(
    reader: Reader, book: Rulebook, command: RequestBacktestCommand, report_progress: ReportProgress
) -> dict[str, Any]:
    """Judge the messages of the period under the version and report what comes out differently.

    The archive is read once, in order, and judged by the lexicon of `book`, in a thread, so that others get their turn.
    Raises PolicyNotFoundError.
    """
    version = await POLICIES.get_version(reader, command.policy_id, command.version)
    exceptions = await list_exceptions_in_force(reader, command.since)
    tried = policies_under_version(command, PolicyVersion.from_version(version), book.policies, exceptions)
    groups = groups_in_scope(command, tried)
    period = ReplayPeriod(command.since - WARM_UP, command.since, command.until, groups)
    total = await count_replayed_messages(reader, period)
    total = total if command.limit is None else min(total, command.limit)
    rulebook = Rulebook(tried, book.lexicon, book.lexicon_version, book.bits)
    known = {}
    if any(policy.rules.probation is not None for policy in tried.list_policies()):
        known = await list_acquaintances(reader, groups, before=period.warm_up)
    reported = ReportedRange(command.since, command.limit)
    replay = ArchiveReplay(rulebook, load_shipped_classifier, reported, datetime.now(UTC).date(), known)
    started = time.perf_counter()
    async with aclosing(_read_ahead(open_replay(reader, period))) as portions:
        async for documents in portions:
            for part in _split_by_characters(documents):
                await asyncio.to_thread(replay.judge_documents, part)
                await report_progress(min(replay.tally.messages, total), total)
            if command.limit is not None and replay.tally.messages >= command.limit:
                break
    seconds = time.perf_counter() - started
    return {
        **replay.tally.report(),
        "policy": command.label,
        "lexicon": book.lexicon_version,
        "seconds": round(seconds, 3),
        "messages_per_second": round(replay.tally.messages / seconds) if replay.tally.messages else 0,
        "notes": _NOTES,
    }


def _report_to_task(run: TaskRun) -> ReportProgress:
    last = 0.0

    async def report_progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _PROGRESS_SECONDS:
            last = time.monotonic()
            await run.report_progress(done, total)

    return report_progress


async def _record_report(work: Work, task: Task, report: dict[str, Any] | None) -> None:
    if report is None:
        return
    backtest = await store.mark_backtest_done(work, task.payload["backtest_id"], report)
    if backtest is None:
        return
    figures = {name: report[name] for name in ("messages", "added", "lost", "changed")}
    summary = {"id": backtest.id, "finished_at": work.now, **figures}
    await save_backtest_summary(work, backtest.command.policy_id, backtest.command.version, summary)


async def _record_failure(work: Work, task: Task, reason: str) -> None:
    await store.mark_backtest_failed(work, task.payload["backtest_id"], reason)


def _split_by_characters(documents: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
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
