"""Find who wrote a piece of personal data, without the archive holding it."""

from dataclasses import dataclass

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.privacy.detection import PersonalDataKind
from huiqun.privacy.keys import RotatingKey
from huiqun.work import Work
from moderation.archive.model import tokens_of
from moderation.archive.store import messages
from moderation.archive.store.messages import Archived, Place


@dataclass(frozen=True, slots=True)
class Question:
    """Which value is looked for, and which page of the answer."""

    value: str
    kind: PersonalDataKind
    after: Place | None
    limit: int


async def look_up(work: Work, question: Question, key: RotatingKey, actor: str) -> list[Archived]:
    """The messages with this value, in whatever spelling it was written. Raises NoPersonalDataError.

    The audit log keeps its hash, never the value.
    """
    tokens = tokens_of(question.value, question.kind, key)
    found = await messages.holding(work, tokens, question.after, question.limit)
    detail = {"hash": tokens[0].hash, "found": len(found)}
    await append_audit_entry(
        work, AuditEntry(actor, "personal_data.looked_up", f"personal_data/{question.kind.value}", detail)
    )
    return found
