"""An incident: its steps, its timeline, and the way from open over contained to closed. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from huiqun.contracts.moderation import GroupMode
from huiqun.runtime.errors import NotFoundError
from huiqun.runtime.ids import new_id
from moderation.plans.model import IncidentPlan, PlanStep


class IncidentState(StrEnum):
    """How far an incident is."""

    OPEN = "open"
    CONTAINED = "contained"
    CLOSED = "closed"


class StepNotFoundError(NotFoundError):
    """The incident has no such step."""


class StepDoneError(ValueError):
    """The step has been done already."""


class IncidentNotOpenError(ValueError):
    """Only an open incident can be contained."""


class IncidentNotContainedError(ValueError):
    """Only a contained incident can be closed: contain it first."""


class IncidentClosedError(ValueError):
    """The incident is closed, and nothing of it changes any more."""


@dataclass(frozen=True, slots=True)
class DrillCue:
    """Part of a drill's script: so many minutes after the opening something happens, is done, or is contained."""

    after_minutes: float
    text: str
    step: str | None = None
    contains: bool = False


@dataclass(frozen=True, slots=True)
class IncidentReview:
    """What was learnt."""

    what_happened: str
    cause: str
    what_to_change: str


@dataclass(slots=True)
class StepProgress:
    """A step of the plan in an incident: who does it until when, and when it was done."""

    step: PlanStep
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
    plan: IncidentPlan
    plan_version: int
    groups: tuple[str, ...]
    reason: str
    drill: bool
    opened_by: str
    opened_at: datetime
    steps: list[StepProgress]
    escalate_to: str | None = None
    cues: tuple[DrillCue, ...] = ()
    state: IncidentState = IncidentState.OPEN
    mode: GroupMode = GroupMode.NORMAL
    mode_until: datetime | None = None
    contained_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    review: IncidentReview | None = None
    score: int | None = None
    draft_version: int | None = None
    revision: int = 1

    @property
    def display_name(self) -> str:
        """How people are told of it."""
        return f"【演练】{self.plan.title}" if self.drill else self.plan.title

    @property
    def drill_label(self) -> str:
        """The value of the label `drill` in metrics."""
        return "yes" if self.drill else "no"

    @property
    def action_reason(self) -> str:
        """How actions name the incident that they belong to."""
        return f"incident/{self.kind}/{self.id}"

    @property
    def step_owners(self) -> frozenset[str]:
        """The staff members who have a step to do."""
        return frozenset(progress.owner for progress in self.steps if progress.owner)

    def get_step(self, key: str) -> StepProgress:
        """The step of this key; raises StepNotFoundError."""
        for progress in self.steps:
            if progress.step.key == key:
                return progress
        raise StepNotFoundError(key)

    def complete_step(self, key: str, at: datetime, by: str, note: str) -> StepProgress:
        """A step was done; raises StepNotFoundError, StepDoneError, IncidentClosedError."""
        self.require_not_closed()
        progress = self.get_step(key)
        if progress.done_at is not None:
            raise StepDoneError(key)
        progress.done_at, progress.done_by, progress.note = at, by, note
        return progress

    def contain(self, at: datetime) -> None:
        """It spreads no more; raises IncidentNotOpenError."""
        if self.state is not IncidentState.OPEN:
            raise IncidentNotOpenError(self.state)
        self.state, self.contained_at = IncidentState.CONTAINED, at

    def close(self, at: datetime, by: str, review: IncidentReview) -> None:
        """It is over; raises IncidentNotContainedError, IncidentClosedError."""
        self.require_not_closed()
        if self.state is not IncidentState.CONTAINED:
            raise IncidentNotContainedError(self.state)
        self.state, self.closed_at, self.closed_by, self.review = IncidentState.CLOSED, at, by, review

    def require_not_closed(self) -> None:
        """Raise IncidentClosedError if it is closed."""
        if self.state is IncidentState.CLOSED:
            raise IncidentClosedError(self.id)


class TimelineEntryKind(StrEnum):
    """What kind of thing happened."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    STEP_DONE = "step_done"
    STEP_MISSED = "step_missed"
    MODE_CHANGED = "mode_changed"
    MODE_ENDED = "mode_ended"
    MESSAGE_POSTED = "message_posted"
    NOTED = "noted"
    SHADOW_EVENT = "shadow_event"
    CONTAINED = "contained"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Who did what, or what happened; `actions` are the ids of what was asked of the channel, or would have been."""

    incident_id: str
    at: datetime
    actor: str
    what: TimelineEntryKind
    text: str = ""
    step: str | None = None
    actions: tuple[str, ...] = ()
    id: str = field(default_factory=new_id)
