"""What legal holds say of people: whose messages must be kept."""

from collections.abc import Mapping
from typing import Final

from huiqun.privacy.erasure.holdings import DocumentSet, RetentionGround, retained_holding
from moderation.retention.store import HOLD_STAMPS, HOLDS, RETENTIONS

RETENTION_HOLDINGS: Final = (
    # Nothing is read out: whoever is under inquiry is not told so by a file.
    retained_holding(
        DocumentSet("法律冻结令中的成员编号", HOLDS, lambda subject: {"members": {"$in": subject.member_ids}}),
        RetentionGround("诉讼或调查的依据，须长期保存", "never"),
    ),
)
NOTHING_HELD: Final[Mapping[str, str]] = {
    RETENTIONS: "for how many days the messages of groups are kept",
    HOLD_STAMPS: "a number that rises with every hold",
}
