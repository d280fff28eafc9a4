"""What cases hold of people: those that are about them, and those that they have reported."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from huiqun.privacy.erasure.holdings import (
    Document,
    DocumentSet,
    Query,
    RetentionGround,
    anonymizable_holding,
    retained_holding,
)
from huiqun.privacy.erasure.model import Subject
from moderation.cases.store import CASES

#: Stands for a member who was erased.
ERASED_MEMBER: Final = "erased"
_SHOWN: Final = (
    *("kind", "state", "group_id", "member_id", "message_id", "verdict", "category", "severity", "text"),
    *("opened_at", "due_at", "closed_at"),
)


def _reported_by(subject: Subject) -> Query:
    """Cases about others in which they stand as who reported, or as who asked."""
    theirs = {"$in": subject.member_ids}
    return {"$and": [{"$or": [{"reporters": theirs}, {"history.by": theirs}]}, {"$nor": [subject.query()]}]}


def _case_about_subject(document: Document, subject: Subject) -> Document:
    """What somebody is shown of a case about them: what they said themselves, and no word of who reported it."""
    own = [entry["note"] for entry in document["history"] if entry["by"] in subject.member_ids and entry["note"]]
    decision = document["decision"] or {}
    said = {name: document[name] for name in _SHOWN} | {"notes": own}
    return said | {f"decision_{name}": decision.get(name) for name in ("outcome", "category", "at")}


def _report_by_subject(document: Document, subject: Subject) -> Document:
    """What somebody is shown of a case about another: what they reported, and not what the other wrote."""
    own = [entry for entry in document["history"] if entry["by"] in subject.member_ids]
    return {
        "group_id": document["group_id"],
        "message_id": document["message_id"],
        "reports": [{"at": entry["at"], "what": entry["what"], "note": entry["note"]} for entry in own],
    }


def _without_reporter(document: Document, subject: Subject) -> Mapping[str, Any]:
    history = [
        entry | {"by": ERASED_MEMBER, "note": ""} if entry["by"] in subject.member_ids else entry
        for entry in document["history"]
    ]
    reporters = [ERASED_MEMBER if each in subject.member_ids else each for each in document["reporters"]]
    return {"$set": {"history": history, "reporters": reporters}}


CASE_HOLDINGS: Final = (
    retained_holding(
        DocumentSet("针对本人消息的案件与申诉", CASES, Subject.query, show=_case_about_subject),
        RetentionGround("处置与申诉的依据，结案后保存三年", "closed_at", "尚未结案", timedelta(days=1_095)),
    ),
    anonymizable_holding(
        DocumentSet("本人的举报：举报人编号与说明", CASES, _reported_by, show=_report_by_subject), _without_reporter
    ),
)
