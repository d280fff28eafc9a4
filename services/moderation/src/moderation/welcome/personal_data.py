"""What is held of newcomers who are yet to be greeted."""

from collections.abc import Mapping
from typing import Any, Final

from huiqun.contracts.privacy import Outcome
from huiqun.privacy.erasure.holdings import Document, DocumentSet, anonymizable_holding
from huiqun.privacy.erasure.model import Subject
from moderation.welcome.store import GROUP_STATES


def _without_newcomer(_: Document, subject: Subject) -> Mapping[str, Any]:
    return {"$pull": {"newcomers": {"member_id": {"$in": subject.member_ids}}}}


WELCOME_HOLDINGS: Final = (
    anonymizable_holding(
        DocumentSet("待欢迎的新成员名单", GROUP_STATES, lambda each: each.query("newcomers.member_id", "_id")),
        _without_newcomer,
        Outcome.ERASED,
    ),
)
