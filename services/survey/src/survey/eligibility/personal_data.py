"""What eligibility holds of people: whether they may be asked, and when they last wrote."""

from huiqun.privacy.erasure.holdings import DocumentSet, erasable_holding
from huiqun.privacy.erasure.model import Subject
from survey.eligibility.store import ELIGIBILITY

ELIGIBILITY_HOLDINGS = (
    erasable_holding(
        DocumentSet(
            "调查资格：是否可邀请、身份、末次发言时间",
            ELIGIBILITY,
            Subject.query,
            ("group_id", "member_id", "in_group", "reason", "eligible_until", "role", "gone", "wrote_at"),
        )
    ),
)
