"""What standings hold of people: offences, which count for a time, and what is remembered of their last messages."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from huiqun.contracts.privacy import Outcome
from huiqun.privacy.erasure.holdings import (
    Document,
    DocumentSet,
    Query,
    RetentionGround,
    anonymizable_holding,
    erasable_holding,
    retained_holding,
)
from huiqun.privacy.erasure.model import Subject
from moderation.standing.store import STANDINGS

_OFFENDED: Final[Query] = {"strikes.0": {"$exists": True}}
_MEMORY: Final[Query] = {
    "$or": [
        *({name: {"$exists": True}} for name in ("since", "pieces", "hushed_at")),
        *({name: {"$ne": 0}} for name in ("day", "counted", "substantial")),
        {"recent": {"$ne": b""}},
    ]
}


def _forgotten(_: Document, __: Subject) -> Mapping[str, Any]:
    emptied = {"day": 0, "counted": 0, "substantial": 0, "recent": b""}
    return {"$set": emptied, "$unset": dict.fromkeys(("since", "pieces", "hushed_at"), "")}


HOLDINGS = (
    erasable_holding(
        DocumentSet(
            "发言计数与近期消息特征",
            STANDINGS,
            lambda each: {"$and": [each.query(), {"$nor": [_OFFENDED]}]},
            ("group_id", "member_id", "counted", "substantial", "since", "pieces", "hushed_at"),
        )
    ),
    anonymizable_holding(
        DocumentSet(
            "违规成员的发言计数与近期消息特征", STANDINGS, lambda each: {"$and": [each.query(), _OFFENDED, _MEMORY]}
        ),
        _forgotten,
        Outcome.ERASED,
    ),
    retained_holding(
        DocumentSet(
            "违规记录：类别、时间、处置等级",
            STANDINGS,
            lambda each: {"$and": [each.query(), _OFFENDED]},
            ("group_id", "member_id", "strikes", "counted", "substantial", "since", "pieces", "hushed_at"),
        ),
        RetentionGround("执行群规、保护其他成员所需，末次发言后至多 400 天", "active_on", after=timedelta(days=400)),
    ),
)
