"""What the archive holds of people, which must be kept as it was said."""

from typing import Final

from huiqun.privacy.erasure.holdings import DocumentSet, RetentionGround, retained_holding, unsearched_holding
from huiqun.privacy.erasure.model import Subject
from moderation.archive.store import MESSAGES

ARCHIVE_HOLDINGS: Final = (
    retained_holding(
        DocumentSet(
            "群聊消息存档（已脱敏）",
            MESSAGES,
            Subject.query,
            (
                *("group_id", "member_id", "role", "kind", "text", "url", "duration_seconds"),
                *("sent_at", "archived_at", "expires_on", "verdict", "reasons", "recalled_at"),
            ),
        ),
        RetentionGround(
            "群规策略规定的留存期限（监管与合同要求的记录保存义务）",
            "expires_on",
            "因诉讼或调查法律冻结，解除前不得删除",
        ),
    ),
    unsearched_holding("他人消息中的提及与引用（成员编号，引用文字已脱敏）", (), "属于他人消息的存档，与该消息同期限"),
)
