"""Backtests of a version over HTTP: ask for one, see how far it is and what came out, call it off."""

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
from moderation.backtest.handlers import UnfitBacktestError
from moderation.backtest.model import Backtest, RequestBacktestCommand
from moderation.policies.model import PolicyId

router = Router(
    "/api/v1/policies/{policy_id}/versions/{number}/backtests",
    tag="backtests",
    role="viewer",
    problems={
        UnfitBacktestError: (422, "unfit-backtest"),
    },
)

PolicyPath = Annotated[PolicyId, Path(description="The policy's id.", examples=["default"])]
VersionPath = Annotated[
    int, Path(alias="number", ge=0, le=1_000_000, description="The number of the policy's version.", examples=[3])
]
BacktestPath = Annotated[Id, Path(description="The backtest's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])]
Moderator = Annotated[Principal, require_role("moderator")]


class BacktestDraft(BaseModel):
    """Which messages are to be judged once more."""

    since: Instant = Field(
        alias="from", description="Judge messages sent then or later.", examples=["2026-11-01T00:00:00+08:00"]
    )
    until: Instant | None = Field(
        default=None,
        alias="to",
        description="Judge messages sent before then; now by default.",
        examples=["2026-11-22T00:00:00+08:00"],
    )
    groups: list[Id] = Field(
        default=[],
        max_length=10_000,
        description="Judge only messages of these groups, as if under the policy; by default of all groups that are.",
        examples=[["group-1"]],
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="Judge at most so many messages, group by group.",
        examples=[100_000],
    )


class BacktestSampleView(BaseModel):
    """A message that a rule hits now and did not before, or the other way round."""

    message_id: str = Field(description="The message's id, with /n for its nth edit.", examples=["msg-1"])
    group_id: str = Field(description="The group of the message.", examples=["group-1"])
    sent_at: datetime = Field(description="Moment the message was sent.", examples=["2026-11-22T08:00:00Z"])
    text: str = Field(description="The beginning of the message's text, masked.", examples=["想赚钱的加薇 abc123"])


class BacktestRuleView(BaseModel):
    """How many messages a rule hits, category by category."""

    rule: str = Field(description="The rule of the policy.", examples=["lexicon"])
    category: str = Field(description="The category of what the rule finds.", examples=["ads"])
    before: int = Field(description="Messages that the rule hit when they were judged.", examples=[120])
    after: int = Field(description="Messages that the rule hits under this version.", examples=[151])
    added: int = Field(description="Messages that the rule hits only under this version.", examples=[33])
    lost: int = Field(description="Messages that the rule hits no longer under this version.", examples=[2])
    added_samples: list[BacktestSampleView] = Field(
        description="Up to 20 of the messages that were added, each as likely as any other."
    )
    lost_samples: list[BacktestSampleView] = Field(
        description="Up to 20 of the messages that were lost, each as likely as any other."
    )


class VerdictChangeView(BaseModel):
    """How many messages went from one verdict to another, or kept theirs."""

    before: Verdict = Field(description="The verdict when the messages were judged.", examples=["allow"])
    after: Verdict = Field(description="The verdict on the messages under this version.", examples=["warn"])
    messages: int = Field(description="Number of messages with this pair of verdicts.", examples=[31])


class BacktestReportView(BaseModel):
    """What comes out differently under a version."""

    policy: str = Field(description="The policy's version that was tried.", examples=["default@4"])
    lexicon: str = Field(description="The version of the lexicon that was in force.", examples=["2026-11-22T08:00:00Z"])
    messages: int = Field(description="Number of messages judged again.", examples=[48213])
    changed: int = Field(description="Number of messages with another verdict.", examples=[35])
    added: int = Field(description="Hits that were not there before, over all rules.", examples=[37])
    lost: int = Field(description="Hits that are there no longer, over all rules.", examples=[2])
    rules: list[BacktestRuleView] = Field(description="What each rule hits, category by category.")
    verdicts: list[VerdictChangeView] = Field(description="What became of each verdict.")
    seconds: float = Field(description="Duration of the backtest in seconds.", examples=[2.1])
    messages_per_second: int = Field(description="Number of messages judged in a second.", examples=[23000])
    notes: str = Field(
        description="What to bear in mind when reading the figures.",
        examples=["Personal data is masked in the archive."],
    )


class BacktestView(BaseModel):
    """A backtest and how far it is."""

    id: str = Field(description="The backtest's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    policy_id: str = Field(description="The policy that is tried.", examples=["default"])
    version: int = Field(description="The policy's version that is tried.", examples=[4])
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = Field(
        description="Whether the backtest has come to its end.", examples=["running"]
    )
    progress: int = Field(description="Number of messages judged so far.", examples=[12500])
    total: int | None = Field(
        description="Number of messages to judge; null before the backtest has begun.", examples=[48213]
    )
    since: datetime = Field(description="Messages sent then or later are judged.", examples=["2026-11-01T00:00:00Z"])
    until: datetime = Field(description="Messages sent before then are judged.", examples=["2026-11-22T00:00:00Z"])
    groups: list[str] = Field(
        description="The groups whose messages are judged; all under the policy if empty.", examples=[["group-1"]]
    )
    limit: int | None = Field(description="Number of messages judged at most.", examples=[100_000])
    requested_by: str = Field(description="Principal who asked for the backtest.", examples=["key:5f2a9c01d4e8b7a3"])
    requested_at: datetime = Field(description="Moment the backtest was asked for.", examples=["2026-11-22T08:00:00Z"])
    finished_at: datetime | None = Field(
        description="Moment the backtest came to its end; null before.", examples=["2026-11-22T08:00:03Z"]
    )
    error: str | None = Field(description="Why the backtest failed, if it did.", examples=["TimeoutError"])


class BacktestDetailView(BacktestView):
    """A backtest with what came out of it."""

    report: BacktestReportView | None = Field(
        description="What comes out differently; null before the backtest is done."
    )


@router.post("", summary="Request a backtest of a policy's version", status_code=202, response_model=BacktestView)
async def request_backtest(
    policy_id: PolicyPath, version: VersionPath, draft: BacktestDraft, write: WriteOnce, who: Moderator
) -> Response:
    """A process with the role `tasks` takes it up; nothing that it finds has any effect."""
    since, until = truncate_to_milliseconds(draft.since), truncate_to_milliseconds(draft.until or datetime.now(UTC))
    command = RequestBacktestCommand(policy_id, version, since, until, tuple(draft.groups), draft.limit)

    async def use_case(work: Work) -> WriteResult:
        backtest = await handlers.request_backtest(work, command, who.id)
        return WriteResult(BacktestView(**_fields(backtest)), location=f"{_path(command)}/{backtest.id}")

    return await write(use_case)


@router.get("", summary="List the backtests of a policy's version")
async def list_backtests(
    db: ReadDatabase, policy_id: PolicyPath, version: VersionPath, paging: Paging
) -> Page[BacktestView]:
    """Newest first."""
    found = await handlers.list_backtests(db, policy_id, version, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda each: (each.id,), lambda each: BacktestView(**_fields(each)))


@router.get("/{backtest_id}", summary="Read how far a backtest is, or what came out")
async def read_backtest(
    db: ReadDatabase, policy_id: PolicyPath, version: VersionPath, backtest_id: BacktestPath
) -> BacktestDetailView:
    """Progress is noted every second."""
    backtest = await handlers.get_backtest(db, policy_id, version, backtest_id)
    report = BacktestReportView.model_validate(backtest.report) if backtest.report is not None else None
    return BacktestDetailView(**_fields(backtest), report=report)


@router.delete("/{backtest_id}", summary="Cancel a backtest", response_model=BacktestView)
async def cancel_backtest(
    policy_id: PolicyPath, version: VersionPath, backtest_id: BacktestPath, write: WriteOnce, _who: Moderator
) -> Response:
    """One that is running stops within a second or two; one that has ended stays as it is."""

    async def use_case(work: Work) -> WriteResult:
        backtest = await handlers.cancel_backtest(work, policy_id, version, backtest_id)
        return WriteResult(BacktestView(**_fields(backtest)))

    return await write(use_case)


def _path(command: RequestBacktestCommand) -> str:
    return f"/api/v1/policies/{command.policy_id}/versions/{command.version}/backtests"


def _fields(backtest: Backtest) -> dict[str, Any]:
    command = backtest.command
    return {
        "id": backtest.id,
        "policy_id": command.policy_id,
        "version": command.version,
        "state": backtest.state,
        "progress": backtest.progress,
        "total": backtest.total,
        "since": command.since,
        "until": command.until,
        "groups": list(command.groups),
        "limit": command.limit,
        "requested_by": backtest.requested_by,
        "requested_at": backtest.requested_at,
        "finished_at": backtest.finished_at,
        "error": backtest.error,
    }
