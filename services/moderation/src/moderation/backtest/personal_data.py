"""What backtests hold of people: samples of messages in their reports."""

from collections.abc import Mapping
from typing import Any, Final

from huiqun.contracts.privacy import ErasureResult, Outcome
from huiqun.privacy.erasure.holdings import ErasedPortion, PersonalDataHolding
from huiqun.privacy.erasure.model import Subject
from huiqun.work import Work
from moderation.archive.handlers import find_revisions
from moderation.archive.model import MessageRef
from moderation.backtest.store import BACKTESTS

_WHAT: Final = "策略回测报告中的消息样例"
_SAMPLES: Final = ("added_samples", "lost_samples")


async def _erase(work: Work, subject: Subject) -> ErasedPortion:
    """Take the texts of their messages out of the reports; there are never many reports, each with few samples."""
    changed = False
    has_samples = {"$or": [{f"report.rules.{name}.text": {"$gt": ""}} for name in _SAMPLES]}
    async for document in work.collection(BACKTESTS).find(has_samples, {"report.rules": 1}):
        rules = document["report"]["rules"]
        refs = {_ref_of(each) for rule in rules for name in _SAMPLES for each in rule[name]}
        theirs = {
            ref for ref, found in (await find_revisions(work, refs)).items() if _wrote(subject, found[0].document)
        }
        if theirs:
            emptied = [
                rule | {name: [_without_text(each, theirs) for each in rule[name]] for name in _SAMPLES}
                for rule in rules
            ]
            await work.collection(BACKTESTS).update_one({"_id": document["_id"]}, {"$set": {"report.rules": emptied}})
            changed = True
    results = (ErasureResult(what=_WHAT, outcome=Outcome.ERASED),) if changed else ()
    return ErasedPortion(results)


def _wrote(subject: Subject, document: Mapping[str, Any]) -> bool:
    member_id, group_id = document["member_id"], document["group_id"]
    return member_id in subject.member_ids and group_id not in subject.others.get(member_id, ())


def _ref_of(sample: Mapping[str, Any]) -> MessageRef:
    return MessageRef(sample["message_id"].partition("/")[0], sample["group_id"])


def _without_text(sample: Mapping[str, Any], theirs: set[MessageRef]) -> Mapping[str, Any]:
    return {**sample, "text": ""} if _ref_of(sample) in theirs else sample


BACKTEST_HOLDINGS: Final = (PersonalDataHolding(_WHAT, (BACKTESTS,), _erase),)
