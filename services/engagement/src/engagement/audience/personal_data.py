"""What the audience holds of people: how active they are."""

from engagement.audience.store import ACTIVITIES
from huiqun.privacy.erasure.holdings import DocumentSet, erasable_holding
from huiqun.privacy.erasure.model import Subject

AUDIENCE_HOLDINGS = (
    erasable_holding(
        DocumentSet(
            "活跃度：各群每日发言数、判定结果、首末次出现时间",
            ACTIVITIES,
            Subject.query,
            ("group_id", "member_id", "first_seen", "last_seen", "gone_since", "days", "verdicts"),
        )
    ),
)
