"""Backtests in MongoDB: what is asked for, who works on it, how far it is, what came out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from huiqun.store import Database, Index
from huiqun.work import Work
from moderation.backtest.model import Trial

BACKTESTS = "backtests"
INDEXES: Mapping[str, Sequence[Index]] = {
    BACKTESTS: (
        Index((("state", 1), ("_id", 1))),
        Index((("policy_id", 1), ("version", 1), ("_id", -1))),
        Index((("requested_at", 1),), expires_after=timedelta(days=400)),
    )
}
OPEN = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """A backtest. `progress` of `total` messages are judged; `report` is there when the state is done."""

    id: str
    trial: Trial
    state: str
    progress: int
    total: int | None
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None = None
    error: str | None = None
    report: Mapping[str, Any] | None = None
    attempts: int = 0


async def request(work: Work, job: Job) -> None:
    """Let whoever has time for it run a backtest."""
    trial = job.trial
    document = {
        "_id": job.id,
        "policy_id": trial.policy_id,
        "version": trial.version,
        "since": trial.since,
        "until": trial.until,
        "groups": list(trial.groups),
        "limit": trial.limit,
        "state": job.state,
        "progress": 0,
        "total": None,
        "requested_by": job.requested_by,
        "requested_at": job.requested_at,
        "attempts": 0,
    }
    await work.db[BACKTESTS].insert_one(document, session=work.session)


async def find(database: Database, job_id: str) -> Job | None:
    """The backtest of this id."""
    document = await database[BACKTESTS].find_one({"_id": job_id})
    return _job(document) if document else None


async def page(database: Database, policy_id: str, version: int, before: str | None, limit: int) -> list[Job]:
    """The backtests of a version without their reports, newest first, before the given one."""
    query: dict[str, Any] = {"policy_id": policy_id, "version": version}
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = database[BACKTESTS].find(query, {"report": 0}).sort("_id", -1).limit(limit)
    return [_job(document) async for document in cursor]


async def cancel(work: Work, job_id: str) -> None:
    """End a backtest that has not ended; whoever works on it notices within a second."""
    change = {"$set": {"state": "cancelled", "finished_at": work.now}}
    await work.db[BACKTESTS].update_one({"_id": job_id, "state": {"$in": OPEN}}, change, session=work.session)


async def lease(database: Database, now: datetime, until: datetime, holder: str) -> Job | None:
    """The oldest backtest that nobody works on, from the beginning, held for `holder` until `until`."""
    free = [{"leased_until": None}, {"leased_until": {"$lt": now}}, {"holder": holder}]
    found = await database[BACKTESTS].find_one_and_update(
        {"state": {"$in": OPEN}, "$or": free},
        {
            "$set": {"state": "running", "leased_until": until, "holder": holder, "progress": 0},
            "$inc": {"attempts": 1},
        },
        sort=[("_id", 1)],
        return_document=True,
    )
    return _job(found) if found else None


async def advance(database: Database, job_id: str, holder: str, progress: Mapping[str, Any]) -> bool:
    """Note how far it is and hold it longer; False when it was cancelled, or is in other hands."""
    result = await database[BACKTESTS].update_one(_held(job_id, holder), {"$set": dict(progress)})
    return bool(result.matched_count)


async def release(database: Database, job_id: str, holder: str) -> None:
    """Leave it to somebody else, who begins anew; that one was stopped is nobody's failure."""
    change = {"$set": {"state": "waiting", "leased_until": None}, "$inc": {"attempts": -1}}
    await database[BACKTESTS].update_one(_held(job_id, holder), change)


async def finish(database: Database, job_id: str, holder: str, outcome: Mapping[str, Any]) -> bool:
    """End it with an outcome; False when it was cancelled, or is in other hands."""
    result = await database[BACKTESTS].update_one(
        _held(job_id, holder), {"$set": dict(outcome), "$unset": {"leased_until": "", "holder": ""}}
    )
    return bool(result.matched_count)


def _held(job_id: str, holder: str) -> dict[str, Any]:
    return {"_id": job_id, "state": "running", "holder": holder}


def _job(document: Mapping[str, Any]) -> Job:
    trial = Trial(
        document["policy_id"],
        document["version"],
        document["since"],
        document["until"],
        tuple(document["groups"]),
        document["limit"],
    )
    return Job(
        document["_id"],
        trial,
        document["state"],
        document["progress"],
        document["total"],
        document["requested_by"],
        document["requested_at"],
        document.get("finished_at"),
        document.get("error"),
        document.get("report"),
        document["attempts"],
    )
