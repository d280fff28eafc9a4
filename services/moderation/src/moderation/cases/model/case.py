"""A case: opened for a reason, held by one person at a time, closed by a decision. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import CaseKind, CaseOutcome, Reason, Verdict
from moderation.archive.model import MessageRef
from moderation.cases.model.opening import Opening

MAX_COMMENTS = 100
MAX_HISTORY = 100
MAX_REPORTERS = 100
REMOVAL_SEVERITY = 4


class CaseHeldError(RuntimeError):
    """Somebody else has claimed the case and still holds it."""


class CaseClosedError(RuntimeError):
    """The case has been decided."""


class CaseFullError(RuntimeError):
    """The case has as many comments as it can hold."""


class OwnDecisionError(RuntimeError):
    """An appeal against your own decision is for a colleague, or for an admin where there is none."""


class State(StrEnum):
    """Where a case stands; one that is claimed is open under a lease."""

    WAITING = "waiting"  # for a second reporter
    OPEN = "open"
    UPHELD = "upheld"
    REVERSED = "reversed"
    RECLASSIFIED = "reclassified"
    DECLINED = "declined"


UNDECIDED = frozenset({State.WAITING, State.OPEN})


class Values(BaseModel):
    """What is kept of a case; parts of it may be newer than the code that reads them."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Moderator(Values):
    """A person at work: the id that the audit log knows, and the name that colleagues do.

    `admin` is whether they may decide on an appeal against themselves; it is not kept.
    """

    id: str
    name: str
    admin: bool = Field(default=False, exclude=True)


class Lease(Values):
    """Who works on a case, and until when nobody else can."""

    holder: Moderator
    until: datetime


class Comment(Values):
    """What a colleague noted."""

    by: Moderator
    at: datetime
    text: str


class Entry(Values):
    """Something that happened to a case."""

    at: datetime
    what: str
    by: str = ""
    note: str = ""


class Decision(Values):
    """How a person decided; `action_id` is the removal that was asked for."""

    outcome: CaseOutcome
    by: Moderator
    at: datetime
    category: str
    note: str = ""
    action_id: str | None = None


class Case(Values):
    """A question for a person. `version` rises with everything that a decision should know of, so not with leases."""

    id: str
    kind: CaseKind
    state: State
    group_id: str
    member_id: str
    role: Role
    message_id: str
    revision: int
    verdict: Verdict
    category: str
    severity: int
    reasons: tuple[Reason, ...]
    text: str
    policy: str
    sanction_id: str | None = None
    opened_at: datetime
    due_at: datetime
    overdue: bool = False
    lease: Lease | None = None
    reporters: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    history: tuple[Entry, ...] = ()
    decision: Decision | None = None
    closed_at: datetime | None = None
    version: int = 1
    channel: str = "channel"
    count: int = Field(default=1, description="Of records that could not be read, how many")

    @property
    def ref(self) -> MessageRef:
        """The message that it is about."""
        return MessageRef(self.message_id, self.group_id, self.channel)

    def holder(self, now: datetime) -> Moderator | None:
        """Who holds the case; nobody once the lease is over."""
        return self.lease.holder if self.lease is not None and self.lease.until > now else None


def open_case(opening: Opening, now: datetime) -> Case:
    """A new case."""
    message = opening.message
    return Case(
        id=opening.case_id,
        kind=opening.kind,
        state=State.OPEN if opening.trusted else State.WAITING,
        group_id=message.group_id,
        member_id=message.member_id,
        role=message.role,
        message_id=message.message_id,
        revision=message.revision,
        verdict=message.verdict,
        category=opening.category,
        severity=opening.severity,
        reasons=message.reasons,
        text=message.masked_text,
        policy=message.policy_version,
        channel=message.channel,
        sanction_id=opening.sanction_id,
        opened_at=now,
        due_at=opening.due_at,
        reporters=(opening.by,) if opening.kind is CaseKind.REPORT else (),
        history=(Entry(at=now, what="opened", by=opening.by, note=opening.note),),
    )


def join(case: Case, opening: Opening, now: datetime) -> Case:
    """The case with one more reason to decide it; the same case where it adds nothing.

    A later revision opens a decided case again, for another text was decided. A sanction is appealed against once.
    """
    if opening.kind is CaseKind.REPORT:
        return _join_report(case, opening, now)
    if opening.kind is CaseKind.UNREADABLE:
        return _join_unreadable(case, opening, now)
    if opening.kind is CaseKind.APPEAL or opening.message.revision <= case.revision:
        return case
    return _renewed(case, opening, now)


def _renewed(case: Case, opening: Opening, now: datetime) -> Case:
    """The case about a later revision: one that was decided is open again, the others go on about the new text."""
    renewed = open_case(opening, now)
    undecided = case.state in UNDECIDED
    entry = Entry(at=now, what="revised" if undecided else "reopened", by=opening.by, note=opening.note)
    kept = {"comments": case.comments, "history": _with(case, entry), "version": case.version + 1}
    if undecided:
        kept |= {
            "state": case.state,
            "opened_at": case.opened_at,
            "due_at": min(case.due_at, renewed.due_at),
            "overdue": case.overdue,
            "severity": max(case.severity, renewed.severity),
            "reporters": case.reporters,
            "lease": case.lease,
        }
    return renewed.model_copy(update=kept)


def _join_unreadable(case: Case, opening: Opening, now: datetime) -> Case:
    """The case with one more record; whoever has seen it need not look again before they decide on the first ones."""
    if case.state not in UNDECIDED:
        return _renewed(case, opening, now)
    entry = Entry(at=now, what="unreadable", by=opening.message.member_id, note=opening.note)
    history = _with(case, entry) if len(case.history) < MAX_HISTORY else case.history
    return case.model_copy(update={"count": case.count + 1, "history": history})


def _join_report(case: Case, opening: Opening, now: datetime) -> Case:
    if opening.message.revision > case.revision:
        case = _renewed(case, opening, now)
    if case.state not in UNDECIDED or opening.by in case.reporters or len(case.reporters) >= MAX_REPORTERS:
        return case
    changes: dict[str, object] = {
        "reporters": (*case.reporters, opening.by),
        "history": _with(case, Entry(at=now, what="reported", by=opening.by, note=opening.note)),
        "version": case.version + 1,
    }
    if case.state is State.WAITING:  # two people who do not know of one another are enough
        changes |= {"state": State.OPEN, "opened_at": now, "due_at": opening.due_at}
    return case.model_copy(update=changes)


def claim(case: Case, who: Moderator, now: datetime, minutes: int) -> Case:
    """The case in this person's hands, or for longer if it was already. Raises CaseHeldError, CaseClosedError."""
    check_decidable(case, who, now)
    return case.model_copy(update={"lease": Lease(holder=who, until=now + timedelta(minutes=minutes))})


def release(case: Case, who: Moderator, now: datetime) -> Case:
    """The case in nobody's hands. Raises CaseHeldError, CaseClosedError."""
    check_decidable(case, who, now)
    return case.model_copy(update={"lease": None})


def comment(case: Case, who: Moderator, text: str, now: datetime) -> Case:
    """The case with a comment more; decided cases can be commented on too. Raises CaseFullError."""
    if len(case.comments) >= MAX_COMMENTS:
        raise CaseFullError(str(MAX_COMMENTS))
    added = (*case.comments, Comment(by=who, at=now, text=text))
    return case.model_copy(update={"comments": added, "version": case.version + 1})


def close(case: Case, decision: Decision) -> Case:
    """The case as decided. Raises CaseHeldError where somebody else holds it, CaseClosedError."""
    check_decidable(case, decision.by, decision.at)
    entry = Entry(at=decision.at, what=decision.outcome.value, by=decision.by.id, note=decision.note)
    return case.model_copy(
        update={
            "state": State(decision.outcome.value),
            "category": decision.category,
            "decision": decision,
            "closed_at": decision.at,
            "lease": None,
            "history": _with(case, entry),
            "version": case.version + 1,
        }
    )


def check_decidable(case: Case, who: Moderator, now: datetime) -> None:
    """Refuse what only whoever holds an undecided case may do. Raises CaseHeldError, CaseClosedError."""
    if case.state not in UNDECIDED:
        raise CaseClosedError(case.state.value)
    holder = case.holder(now)
    if holder is not None and holder.id != who.id:
        raise CaseHeldError(holder.name)


def _with(case: Case, entry: Entry) -> tuple[Entry, ...]:
    return (*case.history, entry)[-MAX_HISTORY:]
