"""Customers who ask to be erased, on a real database."""

from crm_sync.customers.personal_data import CUSTOMER_HOLDINGS
from huiqun.contracts.fields import Account
from huiqun.contracts.privacy import ErasureRequested, PersonRequest
from huiqun.privacy.erasure.handlers import SUPPRESSION_DELAY
from huiqun.privacy.erasure.model import Subject
from huiqun.testing.events import member_joined, member_updated, minutes_after_noon
from huiqun.testing.rig import Rig


async def test_a_request_for_a_customer_means_all_their_accounts(rig: Rig) -> None:
    union = {"unionid": "union-of-two"}
    await rig.deliver(member_joined("g1", "u1", external_ids=union), member_joined("g2", "u2", external_ids=union))
    members = await rig.documents("members")
    (customer_id,) = {member["customer_id"] for member in members}
    data = PersonRequest(request_id="r1", person_id=customer_id, customer_id=customer_id, requested_by="key/1")
    await rig.deliver(ErasureRequested.create(customer_id, data, time=minutes_after_noon(1), source="huiqun/tests"))
    (request,) = await rig.documents("person_requests")
    assert {account["member_id"] for account in request["accounts"]} == {"u1", "u2"}
    await rig.run_due(SUPPRESSION_DELAY)
    assert await rig.documents("members") == await rig.documents("identity_evidence") == []


async def test_who_is_erased_leaves_the_evidence_of_others(rig: Rig) -> None:
    shared = {"external_userid": "wm-of-both-1"}
    await rig.deliver(member_joined("g1", "u1", external_ids=shared), member_joined("g1", "u2", external_ids=shared))
    subject = Subject((Account("channel", "u1"),), minutes_after_noon(1))
    await rig.transactor.run(lambda work: CUSTOMER_HOLDINGS[0].erase(work, subject))
    assert [member["member_id"] for member in await rig.documents("members")] == ["u2"]
    (evidence,) = await rig.documents("identity_evidence")
    assert [bearer.split("/")[1] for bearer in evidence["bearers"]] == ["u2"]
    await rig.deliver(member_updated("g1", "u2", 2, external_ids={"unionid": "union-of-one"}))
    assert len(await rig.documents("members")) == 1
