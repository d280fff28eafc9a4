"""Backtests of a version: ask for one, see how far it is and what came out, call it off."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.contracts.moderation import Verdict
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.backtest import handlers
from moderation.backtest.handlers import UnfitBacktestError, UnknownBacktestError
from moderation.backtest.model import Trial
from moderation.backtest.store import Job
from moderation.policies.handlers import UnknownPolicyError
from moderation.policies.model import PolicyId

router = Router(
    "/api/v1/policies/{policy_id}/versions/{number}/backtests",
    tag="backtests",
    role="viewer",
    problems={
        UnknownPolicyError: (404, "unknown-policy"),
        UnknownBacktestError: (404, "unknown-backtest"),
        UnfitBacktestError: (422, "unfit-backtest"),
    },
)

PolicyPath = Annotated[PolicyId, Path(description="The policy's id.", examples=["default"])]
NumberPath = Annotated[int, Path(ge=0, le=1_000_000, description="Number of the version.", examples=[3])]
BacktestPath = Annotated[Id, Path(description="The backtest's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])]
Moderator = Annotated[Principal, require_role("moderator")]


class Wanted(BaseModel):
    """Which messages are to be judged once more."""

    since: Instant = Field(alias="from", description="Sent then or later.", examples=["2026-11-01T00:00:00+08:00"])
    until: Instant | None = Field(
        default=None,
        alias="to",
        description="Sent before then; now by default.",
        examples=["2026-11-22T00:00:00+08:00"],
    )
    groups: list[Id] = Field(
        default=[],
        max_length=10_000,
        description="Only in these groups, as if they were under the policy; by default all that are.",
        examples=[["group-1"]],
    )
    limit: int | None = Field(
        default=None, ge=1, le=100_000_000, description="At most so many messages, group by group.", examples=[100_000]
    )


class SampleView(BaseModel):
    """A message that a rule hits now and did not before, or the other way round."""

    message_id: str = Field(description="The message, with /n for its nth edit.", examples=["msg-1"])
    group_id: str = Field(description="The group.", examples=["group-1"])
    sent_at: datetime = Field(description="When it was sent.", examples=["2026-11-22T08:00:00Z"])
    text: str = Field(description="The beginning of the text, masked.", examples=["想赚钱的加薇 abc123"])


class RuleView(BaseModel):
    """How many messages a rule hits, category by category."""

    rule: str = Field(description="The rule.", examples=["lexicon"])
    category: str = Field(description="What it is about.", examples=["ads"])
    before: int = Field(description="Messages that it hit when they were judged.", examples=[120])
    after: int = Field(description="Messages that it hits under this version.", examples=[151])
    added: int = Field(description="Messages that it hits only now.", examples=[33])
    lost: int = Field(description="Messages that it hits no longer.", examples=[2])
    added_samples: list[SampleView] = Field(description="Up to 20 of those added, each as likely as any other.")
    lost_samples: list[SampleView] = Field(description="Up to 20 of those lost.")


class VerdictChange(BaseModel):
    """How many messages went from one verdict to another, or kept theirs."""

    before: Verdict = Field(description="The verdict when they were judged.", examples=["allow"])
    after: Verdict = Field(description="The verdict under this version.", examples=["warn"])
    messages: int = Field(description="How many.", examples=[31])


class ReportView(BaseModel):
    """What comes out differently."""

    policy: str = Field(description="The version.", examples=["default@4"])
    lexicon: str = Field(description="The lexicon that was in force.", examples=["2026-11-22T08:00:00Z"])
    messages: int = Field(description="How many messages were judged again.", examples=[48213])
    changed: int = Field(description="How many of them have another verdict.", examples=[35])
    added: int = Field(description="Hits that were not there before, over all rules.", examples=[37])
    lost: int = Field(description="Hits that are there no longer, over all rules.", examples=[2])
    rules: list[RuleView] = Field(description="Rule by rule.")
    verdicts: list[VerdictChange] = Field(description="What became of each verdict.")
    seconds: float = Field(description="How long it took.", examples=[2.1])
    messages_per_second: int = Field(description="How fast that is.", examples=[23000])
    notes: str = Field(description="What to bear in mind.", examples=["Personal data is masked in the archive."])


class BacktestView(BaseModel):
    """A backtest and how far it is."""

    id: str = Field(description="Its id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    policy_id: str = Field(description="The policy.", examples=["default"])
    version: int = Field(description="The version that is tried.", examples=[4])
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = Field(
        description="Whether it has come to its end.", examples=["running"]
    )
    progress: int = Field(description="How many messages are judged.", examples=[12500])
    total: int | None = Field(description="How many there are; null before it has begun.", examples=[48213])
    since: datetime = Field(description="Messages from then on.", examples=["2026-11-01T00:00:00Z"])
    until: datetime = Field(description="Messages before then.", examples=["2026-11-22T00:00:00Z"])
    groups: list[str] = Field(description="The groups that were named.", examples=[["group-1"]])
    limit: int | None = Field(description="At most so many messages.", examples=[100_000])
    requested_by: str = Field(description="Who asked for it.", examples=["key:5f2a9c01d4e8b7a3"])
    requested_at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    finished_at: datetime | None = Field(description="When it ended.", examples=["2026-11-22T08:00:03Z"])
    error: str | None = Field(description="Why it failed, if it did.", examples=["TimeoutError"])


class BacktestInFull(BacktestView):
    """A backtest with what came out of it."""

    report: ReportView | None = Field(description="What comes out differently; null before it is done.")


@router.post("", summary="Try a version over archived messages", status_code=202, response_model=BacktestView)
async def request_backtest(
    policy_id: PolicyPath, number: NumberPath, wanted: Wanted, write: WriteOnce, who: Moderator
) -> Response:
    """A process with the role `tasks` takes it up; nothing that it finds has any effect."""
    since, until = truncate_to_milliseconds(wanted.since), truncate_to_milliseconds(wanted.until or datetime.now(UTC))
    trial = Trial(policy_id, number, since, until, tuple(wanted.groups), wanted.limit)

    async def use_case(work: Work) -> WriteResult:
        job = await handlers.request_backtest(work, trial, who.id)
        return WriteResult(BacktestView(**_fields(job)), location=f"{_path(trial)}/{job.id}")

    return await write(use_case)


@router.get("", summary="List the backtests of a version")
async def list_backtests(
    db: ReadDatabase, policy_id: PolicyPath, number: NumberPath, paging: Paging
) -> Page[BacktestView]:
    """Newest first."""
    found = await handlers.list_backtests(db, policy_id, number, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda job: (job.id,), lambda job: BacktestView(**_fields(job)))


@router.get("/{backtest_id}", summary="Read how far a backtest is, or what came out")
async def read_backtest(
    db: ReadDatabase, policy_id: PolicyPath, number: NumberPath, backtest_id: BacktestPath
) -> BacktestInFull:
    """Progress is noted every second."""
    job = await handlers.find_backtest(db, policy_id, number, backtest_id)
    report = ReportView.model_validate(job.report) if job.report is not None else None
    return BacktestInFull(**_fields(job), report=report)


@router.delete("/{backtest_id}", summary="Call a backtest off", response_model=BacktestView)
async def cancel_backtest(
    policy_id: PolicyPath, number: NumberPath, backtest_id: BacktestPath, write: WriteOnce, _who: Moderator
) -> Response:
    """One that is running stops within a second or two; one that has ended stays as it is."""

    async def use_case(work: Work) -> WriteResult:
        job = await handlers.cancel_backtest(work, policy_id, number, backtest_id)
        return WriteResult(BacktestView(**_fields(job)))

    return await write(use_case)


def _path(trial: Trial) -> str:
    return f"/api/v1/policies/{trial.policy_id}/versions/{trial.version}/backtests"


def _fields(job: Job) -> dict[str, Any]:
    trial = job.trial
    return {
        "id": job.id,
        "policy_id": trial.policy_id,
        "version": trial.version,
        "state": job.state,
        "progress": job.progress,
        "total": job.total,
        "since": trial.since,
        "until": trial.until,
        "groups": list(trial.groups),
        "limit": trial.limit,
        "requested_by": job.requested_by,
        "requested_at": job.requested_at,
        "finished_at": job.finished_at,
        "error": job.error,
    }
