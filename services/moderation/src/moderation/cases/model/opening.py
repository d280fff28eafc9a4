"""Why a case is to be opened, which case that is, and until when it should be decided. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import CaseKind, Screened
from moderation.policies.sections.review import ReviewRule


@dataclass(frozen=True, slots=True)
class Opening:
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
            return case_id(self.kind, self.sanction_id or "")
        if self.kind is CaseKind.UNREADABLE:
            return case_id(self.kind, message.group_id)
        return case_id(self.kind, f"{message.message_id}/{message.group_id}/{message.channel}")


def case_id(kind: CaseKind, about: str) -> str:
    """The id of the one case of a kind about a message or sanction; it fits into an address, whatever `about` holds."""
    return f"{kind.value}-{hashlib.blake2b(about.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def due(rule: ReviewRule, severity: int, now: datetime) -> datetime:
    """Until when a case of this severity should be decided."""
    return now + timedelta(minutes=rule.target_minutes[severity - 1])
