"""What reports hold of people: how the reports of a member ended. What they reported stands with the cases."""

from typing import Final

from huiqun.privacy.erasure.holdings import DocumentSet, erasable_holding
from moderation.reports.store import REPORTERS

REPORTER_HOLDINGS: Final = (
    erasable_holding(
        DocumentSet(
            "举报记录：被采纳与被驳回的次数",
            REPORTERS,
            lambda subject: {"_id": {"$in": subject.member_ids}},
            ("upheld", "dismissed", "day", "reported", "active_at"),
        )
    ),
)
