"""What the archive holds of people, which must be kept as it was said."""

from datetime import timedelta

from huiqun.files.exports.store import EXPORT_FILE_PARTS, EXPORTS
from huiqun.privacy.erasure.holdings import DocumentSet, RetentionGround, retained_holding, unsearched_holding
from huiqun.privacy.erasure.model import Subject
from moderation.archive.store.holds import HOLDS, STAMPS
from moderation.archive.store.messages import MESSAGES
from moderation.archive.store.retentions import RETENTIONS
from moderation.archive.store.reviews import REVIEWS

HOLDINGS = (
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
    unsearched_holding("对消息的抽查意见", (REVIEWS,), "监督检查的证明", timedelta(days=5 * 366)),
    # Nothing is read out: whoever is under inquiry is not told so by a file.
    retained_holding(
        DocumentSet("法律冻结令中的成员编号", HOLDS, lambda subject: {"members": {"$in": subject.member_ids}}),
        RetentionGround("诉讼或调查的依据，须长期保存", "never"),
    ),
    unsearched_holding("消息导出文件", (EXPORTS, EXPORT_FILE_PARTS), "文件已按哈希封存，不可修改", timedelta(days=7)),
)
NOTHING_HELD = {
    RETENTIONS: "for how many days the messages of groups are kept",
    STAMPS: "a number that rises with every hold",
}
