"""What the reports of roster checks hold of people."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import Document, DocumentSet, RetentionGround, retained_holding
from huiqun.privacy.erasure.model import Subject
from moderation.members.store import ROSTER_REPORTS


def _findings_of(document: Document, subject: Subject) -> Document:
    own = [each for each in document["findings"] if each["member_id"] in subject.member_ids]
    return {"group_id": document["group_id"], "checked_at": document["checked_at"], "findings": own}


MEMBER_HOLDINGS: Final = (
    retained_holding(
        DocumentSet("成员核查报告", ROSTER_REPORTS, lambda each: each.query("findings.member_id"), show=_findings_of),
        RetentionGround("核查结果的证明，保存五年", "checked_at", after=timedelta(days=5 * 366)),
    ),
)
