"""An action that the channel was asked for: how it is carried out, what receipts say of it, and what is due next."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from huiqun.channel.directory.model import DirectoryGroup
from huiqun.contracts.channel import (
    Action,
    ActionKind,
    CompletionStage,
    FailureCode,
    Support,
)

# Which capability of a group an action needs. Telling a staff member something is always possible.
_NEEDS: Final[Mapping[ActionKind, str]] = {
    ActionKind.SEND_MESSAGE: "send",
    ActionKind.SEND_PRIVATE: "send_private",
    ActionKind.DELETE_MESSAGE: "delete",
    ActionKind.MUTE_MEMBER: "mute",
    ActionKind.UNMUTE_MEMBER: "mute",
    ActionKind.REMOVE_MEMBER: "remove",
}
_WITHOUT_A_GROUP: Final = frozenset({ActionKind.SEND_PRIVATE, ActionKind.NOTIFY_STAFF, ActionKind.TRANSFER_CUSTOMER})
_SENDING: Final = frozenset({"send", "send_private"})

#: A step is at least so far from the one before: after downtime they come one by one, not all at once.
STEP_INTERVAL: Final = timedelta(minutes=1)
#: How long the report is waited for of whether a confirmed message was delivered.
DELIVERY_REPORT_WAIT: Final = timedelta(hours=24)
#: How often an action is asked for anew that has met a limit.
MAX_RETRIES: Final = 3
_LIMIT_WAIT: Final = timedelta(minutes=15)
# Caps are counted by the day; a new one begins for people later than at midnight.
_MORNING: Final = time(9)


class ExecutionMode(StrEnum):
    """How a group's channel can carry out an action."""

    NATIVE = "native"
    STAFF_TASK = "staff_task"
    UNSUPPORTED = "unsupported"


class ActionState(StrEnum):
    """What has become of an action; `shadow` is one of a drill, which nobody was asked for."""

    REQUESTED = "requested"
    ASSIGNED = "assigned"
    COMPLETED = "completed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SHADOW = "shadow"


OPEN_ACTION_STATES: Final = frozenset({ActionState.REQUESTED, ActionState.ASSIGNED})


class FollowUpStep(StrEnum):
    """What to do about an action that is still open when its time comes."""

    REPEAT = "repeat"
    REMIND = "remind"
    ESCALATE = "escalate"
    HAND_OVER = "hand_over"
    CONCLUDE = "conclude"
    GIVE_UP = "give_up"


FollowUpTimetable = tuple[tuple[timedelta, FollowUpStep], ...]

# What happens when, counted from the request: the channel is asked again before a person is; a person is reminded,
# then somebody above is told, before the action is given up.
_NATIVE: Final[FollowUpTimetable] = (
    (timedelta(minutes=5), FollowUpStep.REPEAT),
    (timedelta(minutes=15), FollowUpStep.REPEAT),
    (timedelta(minutes=30), FollowUpStep.HAND_OVER),
)
_TASK: Final[FollowUpTimetable] = (
    (timedelta(minutes=30), FollowUpStep.REMIND),
    (timedelta(minutes=60), FollowUpStep.ESCALATE),
    (timedelta(minutes=120), FollowUpStep.GIVE_UP),
)
# A mass message is confirmed when its sender gets to it, in the course of a day or two.
_MASS_MESSAGE: Final[FollowUpTimetable] = (
    (timedelta(hours=4), FollowUpStep.REMIND),
    (timedelta(hours=24), FollowUpStep.REMIND),
    (timedelta(hours=36), FollowUpStep.ESCALATE),
    (timedelta(hours=48), FollowUpStep.GIVE_UP),
)
# What only tells somebody of another action is asked for again, and is neither reminded of nor handed over.
_NOTICE: Final[FollowUpTimetable] = (
    (timedelta(minutes=5), FollowUpStep.REPEAT),
    (timedelta(minutes=15), FollowUpStep.REPEAT),
    (timedelta(minutes=30), FollowUpStep.GIVE_UP),
)
_ASSIGNED_NOTICE: Final[FollowUpTimetable] = ((timedelta(minutes=120), FollowUpStep.GIVE_UP),)
_POSTPONED: Final = frozenset({FailureCode.CAP, FailureCode.LIMIT})
_FINAL: Final = frozenset({FailureCode.REFUSED, FailureCode.NOT_FRIEND})


@dataclass(frozen=True, slots=True)
class FollowedAction:
    """An action as a service wants it, and what has become of it.

    `steps` counts those taken since `asked_at`, or since a person has it (`assigned_at`); `retries` how often a limit
    was met, `retry_at` when a failed one is tried again. `notice_of` is the action of which this one only reminds or
    tells somebody, `notice_key` what is told once; `traceparent` the trace of what it was asked for.
    """

    action: Action
    how: ExecutionMode
    asked_at: datetime
    requested_at: datetime
    state: ActionState = ActionState.REQUESTED
    steps: int = 0
    retries: int = 0
    assigned_at: datetime | None = None
    confirmed_at: datetime | None = None
    retry_at: datetime | None = None
    settled_at: datetime | None = None
    assignee: str | None = None
    code: FailureCode | None = None
    stage: CompletionStage | None = None
    detail: str = ""
    notice_of: str | None = None
    notice_key: str | None = None
    traceparent: str | None = None
    excerpt: str = ""
    sent_at: datetime | None = None

    @property
    def action_id(self) -> str:
        """The action's id."""
        return self.action.action_id

    @property
    def is_open(self) -> bool:
        """Whether it has no outcome yet."""
        return self.state in OPEN_ACTION_STATES

    @property
    def is_with_person(self) -> bool:
        """Whether somebody was asked to carry it out."""
        return self.state is ActionState.ASSIGNED or self.how is ExecutionMode.STAFF_TASK

    @property
    def since(self) -> datetime:
        """When its steps begin to count; nothing is late before the time from which on it may be carried out."""
        return max(self.assigned_at or self.asked_at, self.action.not_before or self.asked_at)

    def next_step(self) -> tuple[datetime, FollowUpStep] | None:
        """When what is to be done about it; None where nothing is."""
        if not self.is_open:
            return None
        if self.confirmed_at is not None:
            return self.confirmed_at + DELIVERY_REPORT_WAIT, FollowUpStep.CONCLUDE
        if self.retry_at is not None and self.code in _POSTPONED:
            return self.retry_at, FollowUpStep.REPEAT
        timetable = self._timetable()
        if self.steps >= len(timetable):
            return None
        after, step = timetable[self.steps]
        return self.retry_at or self.since + after, step

    def next_check_at(self, now: datetime) -> datetime | None:
        """When to look at it again; None where nothing is to be done about it any more."""
        due = self.next_step()
        if due is None:
            return None
        moment = max(due[0], now + STEP_INTERVAL)
        deadline = None if self.confirmed_at is not None else self.action.deadline
        return min(moment, deadline) if deadline is not None else moment

    def is_too_late(self, now: datetime) -> bool:
        """Whether it would do no good any more; what a person has confirmed was in time."""
        return self.confirmed_at is None and self.action.deadline is not None and self.action.deadline <= now

    def assign(self, assignee: str | None, detail: str, now: datetime) -> "FollowedAction":
        """Return it as handed to a person, whose task it is from now on; that happens once."""
        if self.state is not ActionState.REQUESTED:
            return self
        return replace(
            self,
            state=ActionState.ASSIGNED,
            how=ExecutionMode.STAFF_TASK,
            steps=0,
            assigned_at=now,
            settled_at=now,
            retry_at=None,
            assignee=assignee or self.assignee,
            detail=detail or self.detail,
        )

    def confirm(self, detail: str, now: datetime) -> "FollowedAction":
        """Return it as confirmed by a person: they have done their part, and what came of it is still to be told."""
        if not self.is_open:
            return self
        confirmed_at, stage = self.confirmed_at or now, CompletionStage.CONFIRMED
        return replace(self, confirmed_at=confirmed_at, stage=stage, retry_at=None, detail=detail or self.detail)

    def fail(self, code: FailureCode | None, detail: str, now: datetime, timezone: ZoneInfo) -> "FollowedAction":
        """Return it as failed: for good, until another day or a while has passed, or to be tried again soon."""
        if not self.is_open:
            return self
        failed = replace(self, code=code, detail=detail or self.detail, stage=None, confirmed_at=None, settled_at=now)
        retry_at = now + STEP_INTERVAL
        if code is FailureCode.CAP:
            tomorrow = now.astimezone(timezone).date() + timedelta(days=1)
            retry_at = datetime.combine(tomorrow, _MORNING, timezone).astimezone(UTC)
        elif code is FailureCode.LIMIT:
            retry_at = now + _LIMIT_WAIT * 4**self.retries
        is_spent = code in _POSTPONED and (self.retries >= MAX_RETRIES or self.is_past_deadline(retry_at))
        if code in _FINAL or is_spent:
            return failed.end(ActionState.FAILED, detail, now)
        return replace(failed, state=ActionState.REQUESTED, retry_at=retry_at)

    def end(self, state: ActionState, detail: str, now: datetime) -> "FollowedAction":
        """Return it with its outcome; one that has ended keeps its end, and quotes nobody any more."""
        if not self.is_open:
            return self
        return replace(self, state=state, settled_at=now, retry_at=None, detail=detail or self.detail, excerpt="")

    def complete(self, stage: CompletionStage, detail: str, now: datetime) -> "FollowedAction":
        """Return it as carried out."""
        return replace(self.end(ActionState.COMPLETED, detail, now), stage=stage) if self.is_open else self

    def count_step(self, step: FollowUpStep, how: ExecutionMode, now: datetime) -> "FollowedAction":
        """Return it with a step taken; what had met a limit is asked for as if for the first time."""
        if step is FollowUpStep.REPEAT and self.retry_at is not None and self.code in _POSTPONED:
            retried = replace(self, state=ActionState.REQUESTED, how=how, steps=0, retries=self.retries + 1)
            return replace(retried, asked_at=now, assigned_at=None, retry_at=None)
        return replace(self, steps=self.steps + 1, retry_at=None)

    def is_past_deadline(self, moment: datetime) -> bool:
        """Whether its deadline has passed by then."""
        return self.action.deadline is not None and self.action.deadline <= moment

    def _timetable(self) -> FollowUpTimetable:
        if self.notice_of is not None:
            return _ASSIGNED_NOTICE if self.how is ExecutionMode.STAFF_TASK else _NOTICE
        if self.how is ExecutionMode.NATIVE:
            return _NATIVE
        if self.how is ExecutionMode.UNSUPPORTED:
            return ()
        return _MASS_MESSAGE if self.action.batch_id is not None else _TASK


def choose_execution_mode(action: Action, group: DirectoryGroup) -> ExecutionMode:
    """How the group's channel carries out the action; in a group that is no more it can only tell people something.

    A message that a person has to confirm before it is sent is still the channel's own doing; what a person has to
    do in the client is a task.
    """
    needed = _NEEDS.get(action.kind)
    if group.dismissed_at is not None and action.kind not in _WITHOUT_A_GROUP:
        return ExecutionMode.UNSUPPORTED
    support = Support.NATIVE if needed is None else group.profile.capabilities.support_of(needed)
    if support is Support.NONE:
        return ExecutionMode.UNSUPPORTED
    if support is Support.STAFF_TASK and needed not in _SENDING:
        return ExecutionMode.STAFF_TASK
    return ExecutionMode.NATIVE


def shorten_to_remaining(action: Action, now: datetime) -> Action:
    """Return the action as it is asked for once more: of a mute, what is left of it."""
    if action.duration_seconds is None or action.deadline is None:
        return action
    left = max(int((action.deadline - now).total_seconds()), 1)
    return action.model_copy(update={"duration_seconds": min(action.duration_seconds, left)})
