"""What cases hold of people: those that are about them, and those that they have reported."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Final

from huiqun.contracts.privacy import ErasureResult, Outcome
from huiqun.privacy.erasure.holdings import (
    PORTION_SIZE,
    Document,
    DocumentSet,
    ErasedPortion,
    PersonalDataHolding,
    Query,
    RetentionGround,
    anonymizable_holding,
    erasable_holding,
    retained_holding,
)
from huiqun.privacy.erasure.model import Subject
from huiqun.store import Reader
from huiqun.work import Work
from moderation.cases.store.cases import CASES
from moderation.cases.store.examples import EXAMPLES
from moderation.cases.store.patrols import PATROLS
from moderation.cases.store.reporters import REPORTERS

#: Stands for a member who was erased.
ERASED_MEMBER: Final = "erased"
_EXAMPLES: Final = "据本人消息标注的样本"
_SHOWN: Final = (
    *("kind", "state", "group_id", "member_id", "message_id", "verdict", "category", "severity", "text"),
    *("opened_at", "due_at", "closed_at"),
)


def _reported_by(subject: Subject) -> Query:
    """Cases about others in which they stand as who reported, or as who asked."""
    theirs = {"$in": subject.member_ids}
    return {"$and": [{"$or": [{"reporters": theirs}, {"history.by": theirs}]}, {"$nor": [subject.query()]}]}


def _case_of(document: Document, subject: Subject) -> Document:
    """What somebody is shown of a case about them: what they said themselves, and no word of who reported it."""
    own = [entry["note"] for entry in document["history"] if entry["by"] in subject.member_ids and entry["note"]]
    decision = document["decision"] or {}
    said = {name: document[name] for name in _SHOWN} | {"notes": own}
    return said | {f"decision_{name}": decision.get(name) for name in ("outcome", "category", "at")}


def _report_of(document: Document, subject: Subject) -> Document:
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


def _examples_of(subject: Subject) -> list[Mapping[str, Any]]:
    """The examples that came of cases about somebody: they name the case, and not the member."""
    joined = {"from": EXAMPLES, "localField": "_id", "foreignField": "case_id", "as": "example"}
    return [{"$match": subject.query()}, {"$project": {"_id": 1}}, {"$lookup": joined}, {"$unwind": "$example"}]


async def _erase_examples(work: Work, subject: Subject) -> ErasedPortion:
    cursor = await work.collection(CASES).aggregate([*_examples_of(subject), {"$limit": PORTION_SIZE}])
    ids = [document["example"]["_id"] async for document in cursor]
    if not ids:
        return ErasedPortion()
    await work.collection(EXAMPLES).delete_many({"_id": {"$in": ids}})
    return ErasedPortion((ErasureResult(what=_EXAMPLES, outcome=Outcome.ERASED),), len(ids) < PORTION_SIZE)


async def _read_examples(reader: Reader, subject: Subject) -> AsyncIterator[Document]:
    async for document in await reader.collection(CASES).aggregate(_examples_of(subject)):
        yield {name: document["example"][name] for name in ("text", "label", "decided_at")}


HOLDINGS = (
    retained_holding(
        DocumentSet("针对本人消息的案件与申诉", CASES, Subject.query, show=_case_of),
        RetentionGround("处置与申诉的依据，结案后保存三年", "closed_at", "尚未结案", timedelta(days=1_095)),
    ),
    anonymizable_holding(
        DocumentSet("本人的举报：举报人编号与说明", CASES, _reported_by, show=_report_of), _without_reporter
    ),
    PersonalDataHolding(_EXAMPLES, (EXAMPLES,), _erase_examples, _read_examples),
    erasable_holding(
        DocumentSet(
            "举报记录：被采纳与被驳回的次数",
            REPORTERS,
            lambda subject: {"_id": {"$in": subject.member_ids}},
            ("upheld", "dismissed", "day", "reported", "active_at"),
        )
    ),
)
NOTHING_HELD = {PATROLS: "how many messages were judged how, by group"}
