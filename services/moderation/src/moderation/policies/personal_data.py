"""What policies hold of people: exceptions that were made for them."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import DocumentSet, Query, RetentionGround, erasable_holding, retained_holding
from huiqun.privacy.erasure.model import Subject
from moderation.policies.store.exceptions import EXCEPTIONS
from moderation.policies.store.group_records import GROUPS, REVISIONS
from moderation.policies.store.versions import OWN_RULE_VERSIONS, POLICY_VERSIONS, STAMPS

_SHOWN: Final = ("group_id", "member_id", "rule", "until", "reason", "granted_at", "revoked_at")


def _over(subject: Subject) -> Query:
    past = {"$lte": subject.at}
    # What waits for an approval has the end that is wanted beside one that is over.
    ended = [{"wanted_until": past}, {"until": past, "wanted_until": {"$exists": False}}]
    return {"$or": [*ended, {"revoked_at": {"$type": "date"}}]}


HOLDINGS = (
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
NOTHING_HELD = {
    GROUPS: "the policy and the mode of groups",
    REVISIONS: "numbers that rise with changes",
    POLICY_VERSIONS.versions: "policies, with the staff who wrote and approved them",
    POLICY_VERSIONS.heads: "which versions of policies are in force",
    OWN_RULE_VERSIONS.versions: "what groups change in their policies, with the staff who wrote and approved it",
    OWN_RULE_VERSIONS.heads: "which versions of groups' own rules are in force",
    STAMPS: "numbers that rise with changes",
}
