"""What policies hold of people: exceptions that were made for them."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import DocumentSet, Keeping, Query, erased, kept
from huiqun.privacy.erasure.model import Subject
from moderation.policies.store.exceptions import EXCEPTIONS
from moderation.policies.store.group_records import GROUPS, REVISIONS
from moderation.policies.store.versions import HEADS, STAMPS, VERSIONS

_SHOWN: Final = ("group_id", "member_id", "rule", "until", "reason", "granted_at", "revoked_at")


def _over(subject: Subject) -> Query:
    return {"$or": [{"until": {"$lte": subject.at}}, {"revoked_at": {"$exists": True}}]}


HOLDINGS = (
    erased(DocumentSet("已结束的规则例外", EXCEPTIONS, lambda each: {"$and": [each.query(), _over(each)]}, _SHOWN)),
    kept(
        DocumentSet(
            "生效中的规则例外", EXCEPTIONS, lambda each: {"$and": [each.query(), {"$nor": [_over(each)]}]}, _SHOWN
        ),
        Keeping("例外仍在生效，结束后至多保存 400 天", "until", after=timedelta(days=400)),
    ),
)
NOTHING_HELD = {
    GROUPS: "the policy and the mode of groups",
    REVISIONS: "numbers that rise with changes",
    VERSIONS: "policies, with the staff who wrote and approved them",
    HEADS: "which versions of policies are in force",
    STAMPS: "numbers that rise with changes",
}
