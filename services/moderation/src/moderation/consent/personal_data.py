"""What is held of people's consent: what they agreed to, and where they stand with the rules."""

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
from moderation.consent.store import AGREED_RULES, CONSENT_STATES, CONSENTS

_GONE: Final[Query] = {"gone_since": {"$type": "date"}}
_STATE: Final = ("group_id", "member_id", "agreed_to", "agreed_at", "asked_at", "hinted_at")
#: What a release before the directory has left.
_FORMER: Final = ("display_name", "invited_by", "scene")


def _without_former(_: Document, __: Subject) -> Mapping[str, Any]:
    return {"$unset": dict.fromkeys(_FORMER, "")}


CONSENT_HOLDINGS: Final = (
    retained_holding(
        DocumentSet(
            "对群规的同意记录",
            CONSENTS,
            Subject.query,
            ("group_id", "member_id", "rules_version", "policy_version", "given_at"),
        ),
        RetentionGround("同意的证明，保存五年", "given_at", after=timedelta(days=5 * 366)),
    ),
    erasable_holding(
        DocumentSet("已退群成员的群规确认状态", CONSENT_STATES, lambda each: {"$and": [each.query(), _GONE]}, _STATE)
    ),
    anonymizable_holding(
        DocumentSet(
            "旧版本留下的成员名称与来源",
            CONSENT_STATES,
            lambda each: {"$and": [each.query(), {"$or": [{name: {"$exists": True}} for name in _FORMER]}]},
            ("group_id", "member_id", *_FORMER),
        ),
        _without_former,
        Outcome.ERASED,
    ),
    retained_holding(
        DocumentSet(
            "在群成员的群规确认状态",
            CONSENT_STATES,
            lambda each: {"$and": [each.query(), {"$nor": [_GONE]}]},
            _STATE,
        ),
        RetentionGround("仍在群内，执行群规所需，退群后至多保存 400 天", "gone_since"),
    ),
)
NOTHING_HELD: Final[Mapping[str, str]] = {AGREED_RULES: "the texts of rules"}
