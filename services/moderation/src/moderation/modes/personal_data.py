"""What group modes hold of people: of staff, who set a mode and who may be asked meanwhile; of members nothing."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import unsearched_holding
from moderation.modes.store import GROUP_MODES

MODE_HOLDINGS: Final = (
    unsearched_holding(
        "员工设置群模式的记录（仅限员工）", (GROUP_MODES,), "群模式变更的证明，保存五年", timedelta(days=1_827)
    ),
)
