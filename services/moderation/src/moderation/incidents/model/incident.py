"""An incident: its steps with their due times, and the way from open over contained to closed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from huiqun.contracts.moderation import GroupMode
from moderation.incidents.model.plans import Plan, Step


class State(StrEnum):
    """How far an incident is."""

    OPEN = "open"
    CONTAINED = "contained"
    CLOSED = "closed"


class UnknownStepError(LookupError):
    """The incident has no such step."""


class StepDoneError(ValueError):
    """The step has been done already."""


class NotOpenError(ValueError):
    """Only an open incident can be contained."""


class NotContainedError(ValueError):
    """Only a contained incident can be closed: contain it first."""


class IncidentClosedError(ValueError):
    """The incident is closed, and nothing of it changes any more."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Part of a drill's script: so many minutes after the opening something happens, is done, or is contained."""

    after_minutes: float
    text: str
    step: str | None = None
    contains: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """What an incident is opened with. `owners` are staff members by role; `cues` and `as_of` are for drills."""

    kind: str
    groups: tuple[str, ...]
    reason: str = ""
    owners: dict[str, str] = field(default_factory=dict)
    drill: bool = False
    cues: tuple[Cue, ...] = ()
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What was learnt."""

    what_happened: str
    cause: str
    what_to_change: str


@dataclass(slots=True)
class Progress:
    """A step of the plan in an incident: who does it until when, and when it was done."""

    step: Step
    owner: str | None
    due_at: datetime
    done_at: datetime | None = None
    done_by: str | None = None
    note: str = ""

    @property
    def is_late(self) -> bool:
        """Whether it was done after its time."""
        return self.done_at is not None and self.done_at > self.due_at


@dataclass(slots=True)
class Incident:
    """A crisis or the drill of one. `mode` is what it asks of its groups until `mode_until`."""

    id: str
    kind: str
    plan: Plan
    plan_version: int
    groups: tuple[str, ...]
    reason: str
    drill: bool
    opened_by: str
    opened_at: datetime
    steps: list[Progress]
    escalate_to: str | None = None
    cues: tuple[Cue, ...] = ()
    state: State = State.OPEN
    mode: GroupMode = GroupMode.NORMAL
    mode_until: datetime | None = None
    contained_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    review: Review | None = None
    score: int | None = None
    draft_version: int | None = None
    revision: int = 1

    @property
    def name(self) -> str:
        """How people are told of it."""
        return f"【演练】{self.plan.title}" if self.drill else self.plan.title

    @property
    def staff(self) -> frozenset[str]:
        """The staff members who have a step to do."""
        return frozenset(progress.owner for progress in self.steps if progress.owner)

    def step(self, key: str) -> Progress:
        """The step of this key; raises UnknownStepError."""
        for progress in self.steps:
            if progress.step.key == key:
                return progress
        raise UnknownStepError(key)

    def complete(self, key: str, at: datetime, by: str, note: str) -> Progress:
        """A step was done; raises UnknownStepError, StepDoneError, IncidentClosedError."""
        self.require_unclosed()
        progress = self.step(key)
        if progress.done_at is not None:
            raise StepDoneError(key)
        progress.done_at, progress.done_by, progress.note = at, by, note
        return progress

    def contain(self, at: datetime) -> None:
        """It spreads no more; raises NotOpenError."""
        if self.state is not State.OPEN:
            raise NotOpenError(self.state)
        self.state, self.contained_at = State.CONTAINED, at

    def close(self, at: datetime, by: str, review: Review) -> None:
        """It is over; raises NotContainedError, IncidentClosedError."""
        self.require_unclosed()
        if self.state is not State.CONTAINED:
            raise NotContainedError(self.state)
        self.state, self.closed_at, self.closed_by, self.review = State.CLOSED, at, by, review

    def require_unclosed(self) -> None:
        """Raises IncidentClosedError."""
        if self.state is State.CLOSED:
            raise IncidentClosedError(self.id)


def steps_of(plan: Plan, opened_at: datetime, owners: dict[str, str], group_owner: str | None) -> list[Progress]:
    """The plan's steps with their due times; one goes to its person, else its role's, else the group's owner."""
    return [
        Progress(
            step,
            step.owner_id or owners.get(step.owner_role) or group_owner,
            opened_at + timedelta(minutes=step.due_minutes),
        )
        for step in plan.steps
    ]


def remind_at(plan: Plan, progress: Progress, opened_at: datetime) -> datetime:
    """When to remind of a step: some minutes before it is due, but not before half of its time is over."""
    return progress.due_at - min(timedelta(minutes=plan.remind_minutes), (progress.due_at - opened_at) / 2)


def by_owner(steps: Sequence[Progress]) -> dict[str | None, list[Progress]]:
    """The steps of each owner, in their order."""
    owned: dict[str | None, list[Progress]] = {}
    for progress in steps:
        owned.setdefault(progress.owner, []).append(progress)
    return owned
