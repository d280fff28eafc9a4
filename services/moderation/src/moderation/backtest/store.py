"""Backtests in MongoDB: what is asked for and what came out. Who works on it and how far it is, its task says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.tasks.store import TaskRecord, find_tasks
from huiqun.work import Work
from moderation.backtest.model import OPEN_STATES, Backtest, RequestBacktestCommand, backtest_task_key

BACKTESTS = "backtests"
BACKTEST_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    BACKTESTS: (
        Index((("policy_id", 1), ("version", 1), ("_id", -1))),
        Index((("requested_at", 1),), expires_after=timedelta(days=400)),
    )
}


async def insert_backtest(work: Work, backtest: Backtest) -> None:
    """Keep a backtest that waits to be run."""
    command = backtest.command
    document = {
        "_id": backtest.id,
        "policy_id": command.policy_id,
        "version": command.version,
        "since": command.since,
        "until": command.until,
        "groups": list(command.groups),
        "limit": command.limit,
        "state": backtest.state,
        "progress": 0,
        "total": None,
        "requested_by": backtest.requested_by,
        "requested_at": backtest.requested_at,
    }
    await work.collection(BACKTESTS).insert_one(document)


async def find_backtest(reader: Reader, backtest_id: str) -> Backtest | None:
    """The backtest of this id."""
    document = await reader.collection(BACKTESTS).find_one({"_id": backtest_id})
    return (await _with_progress(reader, [_backtest(document)]))[0] if document else None


async def list_backtests(
    reader: Reader, policy_id: str, version: int, before: str | None, limit: int
) -> list[Backtest]:
    """The backtests of a version without their reports, newest first, before the given one."""
    query: dict[str, Any] = {"policy_id": policy_id, "version": version}
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = reader.collection(BACKTESTS).find(query, {"report": 0}).sort("_id", -1).limit(limit)
    return await _with_progress(reader, [_backtest(document) async for document in cursor])


async def mark_backtest_cancelled(work: Work, backtest_id: str) -> None:
    """End a backtest that has not ended."""
    change = {"$set": {"state": "cancelled", "finished_at": work.now}}
    await work.collection(BACKTESTS).update_one({"_id": backtest_id, "state": {"$in": OPEN_STATES}}, change)


async def mark_backtest_done(work: Work, backtest_id: str, report: Mapping[str, Any]) -> Backtest | None:
    """End a backtest with its report; None where it is no more."""
    count = report["messages"]
    done = {"state": "done", "report": report, "progress": count, "total": count, "error": None}
    change = {"$set": {**done, "finished_at": work.now}}
    after = await work.collection(BACKTESTS).find_one_and_update({"_id": backtest_id}, change)
    return _backtest(after) if after else None


async def mark_backtest_failed(work: Work, backtest_id: str, error: str) -> None:
    """End a backtest that nobody can run."""
    change = {"$set": {"state": "failed", "error": error, "finished_at": work.now}}
    await work.collection(BACKTESTS).update_one({"_id": backtest_id}, change)


async def _with_progress(reader: Reader, backtests: Sequence[Backtest]) -> list[Backtest]:
    """The backtests, those that are being run with what their tasks say."""
    waiting = [backtest_task_key(backtest.id) for backtest in backtests if backtest.state == "waiting"]
    running = {each.task.key: each for each in await find_tasks(reader, waiting) if each.is_running}
    return [_with_task(backtest, running.get(backtest_task_key(backtest.id))) for backtest in backtests]


def _with_task(backtest: Backtest, record: TaskRecord | None) -> Backtest:
    if record is None:
        return backtest
    progress = record.task.progress
    if progress is None:
        return replace(backtest, state="running")
    return replace(backtest, state="running", progress=progress.done, total=progress.total)


def _backtest(document: Mapping[str, Any]) -> Backtest:
    command = RequestBacktestCommand(
        document["policy_id"],
        document["version"],
        document["since"],
        document["until"],
        tuple(document["groups"]),
        document["limit"],
    )
    return Backtest(
        document["_id"],
        command,
        document["state"],
        document["progress"],
        document["total"],
        document["requested_by"],
        document["requested_at"],
        document.get("finished_at"),
        document.get("error"),
        document.get("report"),
    )
