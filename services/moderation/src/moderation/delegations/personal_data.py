"""What delegations hold of people: of staff, who had which rights; of members nothing."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import unsearched_holding
from moderation.delegations.store import DELEGATIONS

DELEGATION_HOLDINGS: Final = (
    unsearched_holding(
        "员工的应急授权记录（仅限员工）", (DELEGATIONS,), "应急授权的证明，保存五年", timedelta(days=1_827)
    ),
)
