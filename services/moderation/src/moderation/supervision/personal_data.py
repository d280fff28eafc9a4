"""What supervision holds of people: opinions on messages that they wrote."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import unsearched_holding
from moderation.supervision.store import MESSAGE_REVIEWS

MESSAGE_REVIEW_HOLDINGS: Final = (
    unsearched_holding("对消息的抽查意见", (MESSAGE_REVIEWS,), "监督检查的证明", timedelta(days=5 * 366)),
)
