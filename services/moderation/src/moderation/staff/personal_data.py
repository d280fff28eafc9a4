"""What the list of authorised staff holds of people."""

from collections.abc import Mapping
from typing import Final

from huiqun.privacy.erasure.holdings import DocumentSet, RetentionGround, retained_holding
from moderation.staff.store import STAFF, STAFF_LISTS

STAFF_HOLDINGS: Final = (
    retained_holding(
        DocumentSet("授权员工名单", STAFF, lambda each: {"_id": {"$in": each.member_ids}}, ("name", "departed_on")),
        RetentionGround("在岗管理所需，由运营人员更新名单时移除", "never"),
    ),
)
NOTHING_HELD: Final[Mapping[str, str]] = {STAFF_LISTS: "how many stand on the list of staff, and who uploaded it"}
