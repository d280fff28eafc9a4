"""What customers are known by: their accounts, their ids elsewhere, and the evidence on these."""

from typing import Final

from crm_sync.customers.model import CustomerAccount
from crm_sync.customers.store import EVIDENCE, MEMBERS, list_shared_claims
from huiqun.contracts.privacy import ErasureResult, Outcome
from huiqun.privacy.erasure.holdings import PORTION_SIZE, DocumentSet, ErasedPortion, PersonalDataHolding
from huiqun.privacy.erasure.model import Subject
from huiqun.work import Work

_RECORDS: Final = DocumentSet(
    "客户档案：账号、外部平台编号及其依据、首末次出现时间",
    MEMBERS,
    lambda subject: {"_id": {"$in": _keys_of(subject)}},
    ("source", "member_id", "customer_id", "ids", "claims", "confirmed", "first_seen", "last_seen"),
)
_SHARED: Final = ErasureResult(
    what="多人共用的外部平台编号，不再指向任何账号",
    outcome=Outcome.KEPT,
    ground="防止将不同的人误认为同一客户",
)


def _keys_of(subject: Subject) -> list[str]:
    return [CustomerAccount(account.channel, account.member_id).identity.key for account in subject.accounts]


async def _erase(work: Work, subject: Subject) -> ErasedPortion:
    """Delete what shows that the accounts bear an id, and then the accounts: whoever is a bearer has to be there."""
    keys = _keys_of(subject)
    evidence = work.collection(EVIDENCE)
    found = await evidence.find({"bearers": {"$in": keys}}, {"bearers": 1}).limit(PORTION_SIZE).to_list(None)
    theirs_alone = [each["_id"] for each in found if set(each["bearers"]) <= set(keys)]
    await evidence.delete_many({"_id": {"$in": theirs_alone}})
    await evidence.update_many({"_id": {"$in": [each["_id"] for each in found]}}, {"$pullAll": {"bearers": keys}})
    if len(found) == PORTION_SIZE:
        return ErasedPortion(is_done=False)
    shared = await list_shared_claims(work, keys)
    deleted = await work.collection(MEMBERS).delete_many({"_id": {"$in": keys}})
    results = [ErasureResult(what=_RECORDS.what, outcome=Outcome.ERASED)] if deleted.deleted_count else []
    return ErasedPortion((*results, *([_SHARED] if shared else [])))


CUSTOMER_HOLDINGS = (PersonalDataHolding(_RECORDS.what, (MEMBERS, EVIDENCE), _erase, _RECORDS.read),)
