"""What actions hold of people: what was done to them, what they were told, and texts that name them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from huiqun.channel.actions.store import ACTIONS, OPEN_STATE_VALUES
from huiqun.contracts.channel import ActionKind, ActionPurpose
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
from huiqun.privacy.links import redact_link_tokens

_TARGET: Final = "target.member_id"
_SOMEBODY: Final = "群友"
#: What is evidence of a sanction, or has still to be done.
_NEEDED: Final[Query] = {"$or": [{"purpose": ActionPurpose.SANCTION.value}, {"state": {"$in": OPEN_STATE_VALUES}}]}


def _to_them(subject: Subject) -> Query:
    return subject.query(_TARGET)


def _needed(subject: Subject) -> Query:
    return {"$and": [{"$or": [_to_them(subject), subject.query("members")]}, _NEEDED]}


def _naming_them(subject: Subject) -> Query:
    """Actions that are not to them, and whose text names them."""
    return {"$and": [subject.query("members"), {"$nor": [_to_them(subject), _NEEDED]}]}


def _quoting_them(subject: Subject) -> Query:
    """Actions about them that quote the beginning of a message, by which people are to find it."""
    return {"$and": [{"$or": [_to_them(subject), subject.query("members")]}, {"excerpt": {"$exists": True}}]}


def _shown(document: Document, subject: Subject) -> Document:
    names = ("group_id", "kind", "reason", "purpose", "state", "requested_at", "settled_at", "duration_seconds")
    # What staff are told may speak of others, as may what is said to others.
    is_to_them = document.get("target", {}).get("member_id") in subject.member_ids
    is_theirs = is_to_them and document["kind"] != ActionKind.NOTIFY_STAFF.value
    content = redact_link_tokens(document.get("content", "")) if is_theirs else None
    return {name: document.get(name) for name in names} | {"content": content}


def _without_them(document: Document, subject: Subject) -> Mapping[str, Any]:
    content = document.get("content", "")
    for member_id in subject.member_ids:
        content = content.replace(f"{{member:{member_id}}}", _SOMEBODY)
    members = [each for each in document["members"] if each not in subject.member_ids]
    return {"$set": {"content": content, "members": members}}


ACTION_HOLDINGS: Final = (
    retained_holding(
        DocumentSet("处置措施与待办：警告、禁言、移出等", ACTIONS, _needed, show=_shown),
        RetentionGround("处置措施的证明，用于申诉与核查", "requested_at", after=timedelta(days=400)),
    ),
    erasable_holding(
        DocumentSet(
            "发给本人的通知：欢迎语、提醒等",
            ACTIONS,
            lambda each: {"$and": [_to_them(each), {"$nor": [_NEEDED]}]},
            show=_shown,
        )
    ),
    anonymizable_holding(
        DocumentSet("提及本人的群消息与员工待办", ACTIONS, _naming_them, ("group_id", "kind", "requested_at")),
        _without_them,
    ),
    anonymizable_holding(
        DocumentSet(
            "处置措施与待办中引用的消息开头", ACTIONS, _quoting_them, ("group_id", "kind", "excerpt", "requested_at")
        ),
        lambda *_: {"$unset": {"excerpt": ""}},
    ),
)
