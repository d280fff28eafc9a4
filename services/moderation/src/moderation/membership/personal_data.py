"""What membership holds of people: what they agreed to, who is to be greeted, and the list of staff."""

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
from moderation.membership.store import consent_states, groups
from moderation.membership.store.consents import CONSENTS, RULES
from moderation.membership.store.staff import LISTS, REPORTS, STAFF

_GONE: Final[Query] = {"gone_since": {"$type": "date"}}
_STATE: Final = ("group_id", "member_id", "agreed_to", "agreed_at", "asked_at", "hinted_at")
#: What a release before the directory has left.
_FORMER: Final = ("display_name", "invited_by", "scene")


def _without_former(_: Document, __: Subject) -> Mapping[str, Any]:
    return {"$unset": dict.fromkeys(_FORMER, "")}


def _without_newcomer(_: Document, subject: Subject) -> Mapping[str, Any]:
    return {"$pull": {"newcomers": {"member_id": {"$in": subject.member_ids}}}}


def _findings_of(document: Document, subject: Subject) -> Document:
    own = [each for each in document["findings"] if each["member_id"] in subject.member_ids]
    return {"group_id": document["group_id"], "checked_at": document["checked_at"], "findings": own}


HOLDINGS = (
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
        DocumentSet(
            "已退群成员的群规确认状态", consent_states.STATES, lambda each: {"$and": [each.query(), _GONE]}, _STATE
        )
    ),
    anonymizable_holding(
        DocumentSet(
            "旧版本留下的成员名称与来源",
            consent_states.STATES,
            lambda each: {"$and": [each.query(), {"$or": [{name: {"$exists": True}} for name in _FORMER]}]},
            ("group_id", "member_id", *_FORMER),
        ),
        _without_former,
        Outcome.ERASED,
    ),
    retained_holding(
        DocumentSet(
            "在群成员的群规确认状态",
            consent_states.STATES,
            lambda each: {"$and": [each.query(), {"$nor": [_GONE]}]},
            _STATE,
        ),
        RetentionGround("仍在群内，执行群规所需，退群后至多保存 400 天", "gone_since"),
    ),
    anonymizable_holding(
        DocumentSet("待欢迎的新成员名单", groups.STATES, lambda each: each.query("newcomers.member_id", "_id")),
        _without_newcomer,
        Outcome.ERASED,
    ),
    retained_holding(
        DocumentSet("授权员工名单", STAFF, lambda each: {"_id": {"$in": each.member_ids}}, ("name", "departed_on")),
        RetentionGround("在岗管理所需，由运营人员更新名单时移除", "never"),
    ),
    retained_holding(
        DocumentSet("成员核查报告", REPORTS, lambda each: each.query("findings.member_id"), show=_findings_of),
        RetentionGround("核查结果的证明，保存五年", "checked_at", after=timedelta(days=5 * 366)),
    ),
)
NOTHING_HELD = {
    LISTS: "how many stand on the list of staff, and who uploaded it",
    RULES: "the texts of rules",
}
