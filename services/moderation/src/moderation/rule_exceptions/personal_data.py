"""What exceptions to rules hold of people: those that were made for them."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import DocumentSet, Query, RetentionGround, erasable_holding, retained_holding
from huiqun.privacy.erasure.model import Subject
from moderation.rule_exceptions.store import EXCEPTIONS

_SHOWN: Final = ("group_id", "member_id", "rule", "until", "reason", "granted_at", "revoked_at")


def _over(subject: Subject) -> Query:
    past = {"$lte": subject.at}
    # What waits for an approval has the end that is wanted beside one that is over.
    ended = [{"wanted_until": past}, {"until": past, "wanted_until": {"$exists": False}}]
    return {"$or": [*ended, {"revoked_at": {"$type": "date"}}]}


RULE_EXCEPTION_HOLDINGS: Final = (
    erasable_holding(
        DocumentSet("已结束的规则例外", EXCEPTIONS, lambda each: {"$and": [each.query(), _over(each)]}, _SHOWN)
    ),
    retained_holding(
        DocumentSet(
            "有效或待核准的规则例外",
            EXCEPTIONS,
            lambda each: {"$and": [each.query(), {"$nor": [_over(each)]}]},
            _SHOWN,
        ),
        RetentionGround("例外仍在生效或待核准，结束后至多保存 400 天", "until", after=timedelta(days=400)),
    ),
)
