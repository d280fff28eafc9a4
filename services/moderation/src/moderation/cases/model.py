"""A case: what opens it or joins it, what it holds, and until when it should be decided. No I/O."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from huiqun.contracts.channel import Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import CaseKind, CaseOutcome, Reason, Screened, Verdict
from moderation.archive.model import MessageRef
from moderation.policies.sections.review import ReviewRule

MAX_HISTORY = 100
MAX_REPORTERS = 100
REMOVAL_SEVERITY = 4


class CaseState(StrEnum):
    """Where a case stands; one that is claimed is open under a lease."""

    WAITING = "waiting"  # for a second reporter
    OPEN = "open"
    UPHELD = "upheld"
    REVERSED = "reversed"
    RECLASSIFIED = "reclassified"
    DECLINED = "declined"


UNDECIDED = frozenset({CaseState.WAITING, CaseState.OPEN})


class CaseValues(BaseModel):
    """What is kept of a case; parts of it may be newer than the code that reads them."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Moderator(CaseValues):
    """A person at work: the id that the audit log knows, and the name that colleagues do.

    `admin` is whether they may decide on an appeal against themselves; it is not kept.
    """

    id: str
    name: str
    admin: bool = Field(default=False, exclude=True)


class CaseLease(CaseValues):
    """Who works on a case, and until when nobody else can."""

    holder: Moderator
    until: datetime


class CaseComment(CaseValues):
    """What a colleague noted."""

    by: Moderator
    at: datetime
    text: str


class CaseEntry(CaseValues):
    """Something that happened to a case."""

    at: datetime
    what: str
    by: str = ""
    note: str = ""


class CaseDecision(CaseValues):
    """How a person decided; `action_id` is the removal that was asked for."""

    outcome: CaseOutcome
    by: Moderator
    at: datetime
    category: str
    note: str = ""
    action_id: str | None = None


class Case(CaseValues):
    """A question for a person. `version` rises with everything that a decision should know of, so not with leases."""

    id: str
    kind: CaseKind
    state: CaseState
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
    lease: CaseLease | None = None
    reporters: tuple[str, ...] = ()
    comments: tuple[CaseComment, ...] = ()
    history: tuple[CaseEntry, ...] = ()
    decision: CaseDecision | None = None
    closed_at: datetime | None = None
    version: int = 1
    channel: str = "channel"
    count: int = Field(default=1, description="Of records that could not be read, how many")

    @property
    def ref(self) -> MessageRef:
        """The message that it is about."""
        return MessageRef(self.message_id, self.group_id, self.channel)

    def holder_at(self, now: datetime) -> Moderator | None:
        """Who holds the case; nobody once the lease is over."""
        return self.lease.holder if self.lease is not None and self.lease.until > now else None


@dataclass(frozen=True, slots=True)
class CaseOpening:
    """Why a case is to be opened: for which message, by what, and until when it should be decided.

    `by` is the member or person who asked for it, `note` what they said; `trusted` is whether that is enough. `cause`
    is the event that led to it, where one did.
    """

    kind: CaseKind
    message: Screened
    category: str
    severity: int
    due_at: datetime
    sanction_id: str | None = None
    by: str = ""
    note: str = ""
    trusted: bool = True
    cause: Event | None = None

    @property
    def case_id(self) -> str:
        """The case that this opens or joins: an appeal is about a sanction, the others are about a message.

        What cannot be read is one question for each group, however much of it there is.
        """
        message = self.message
        if self.kind is CaseKind.APPEAL:
            return case_id_of(self.kind, self.sanction_id or "")
        if self.kind is CaseKind.UNREADABLE:
            return case_id_of(self.kind, message.group_id)
        return case_id_of(self.kind, f"{message.message_id}/{message.group_id}/{message.channel}")


def case_id_of(kind: CaseKind, about: str) -> str:
    """The id of the one case of a kind about a message or sanction; it fits into an address, whatever `about` holds."""
    return f"{kind.value}-{hashlib.blake2b(about.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def case_due_at(rule: ReviewRule, severity: int, now: datetime) -> datetime:
    """Reckon until when a case of this severity should be decided."""
    return now + timedelta(minutes=rule.target_minutes[severity - 1])


def open_case(opening: CaseOpening, now: datetime) -> Case:
    """Open a new case."""
    message = opening.message
    return Case(
        id=opening.case_id,
        kind=opening.kind,
        state=CaseState.OPEN if opening.trusted else CaseState.WAITING,
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
        history=(CaseEntry(at=now, what="opened", by=opening.by, note=opening.note),),
    )


def join_case(case: Case, opening: CaseOpening, now: datetime) -> Case:
    """Join a case with one more reason to decide it; returns the same case where it adds nothing.

    A later revision opens a decided case again, for another text was decided. A sanction is appealed against once.
    """
    if opening.kind is CaseKind.REPORT:
        return _join_report(case, opening, now)
    if opening.kind is CaseKind.UNREADABLE:
        return _join_unreadable(case, opening, now)
    if opening.kind is CaseKind.APPEAL or opening.message.revision <= case.revision:
        return case
    return _renew_case(case, opening, now)


def _renew_case(case: Case, opening: CaseOpening, now: datetime) -> Case:
    """The case about a later revision: one that was decided is open again, the others go on about the new text."""
    renewed = open_case(opening, now)
    undecided = case.state in UNDECIDED
    entry = CaseEntry(at=now, what="revised" if undecided else "reopened", by=opening.by, note=opening.note)
    kept = {"comments": case.comments, "history": add_history_entry(case, entry), "version": case.version + 1}
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


def _join_unreadable(case: Case, opening: CaseOpening, now: datetime) -> Case:
    """The case with one more record; whoever has seen it need not look again before they decide on the first ones."""
    if case.state not in UNDECIDED:
        return _renew_case(case, opening, now)
    entry = CaseEntry(at=now, what="unreadable", by=opening.message.member_id, note=opening.note)
    history = add_history_entry(case, entry) if len(case.history) < MAX_HISTORY else case.history
    return case.model_copy(update={"count": case.count + 1, "history": history})


def _join_report(case: Case, opening: CaseOpening, now: datetime) -> Case:
    if opening.message.revision > case.revision:
        case = _renew_case(case, opening, now)
    if case.state not in UNDECIDED or opening.by in case.reporters or len(case.reporters) >= MAX_REPORTERS:
        return case
    changes: dict[str, object] = {
        "reporters": (*case.reporters, opening.by),
        "history": add_history_entry(case, CaseEntry(at=now, what="reported", by=opening.by, note=opening.note)),
        "version": case.version + 1,
    }
    if case.state is CaseState.WAITING:  # two people who do not know of one another are enough
        changes |= {"state": CaseState.OPEN, "opened_at": now, "due_at": opening.due_at}
    return case.model_copy(update=changes)


def add_history_entry(case: Case, entry: CaseEntry) -> tuple[CaseEntry, ...]:
    """The history of a case with an entry more, and without the oldest where there are too many."""
    return (*case.history, entry)[-MAX_HISTORY:]
