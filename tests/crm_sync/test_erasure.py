"""Customers who ask to be erased, on a real database."""

from collections.abc import AsyncIterator

import pytest_asyncio

from crm_sync.app import INDEXES, person_requests, routes
from crm_sync.customers.personal_data import HOLDINGS
from huiqun.contracts.fields import Account
from huiqun.contracts.privacy import ErasureRequested, PersonRequest
from huiqun.privacy.erasure.handlers import UNTIL_KNOWN
from huiqun.privacy.erasure.model import Subject
from huiqun.testing.events import at, joined, updated
from huiqun.testing.rig import Rig


@pytest_asyncio.fixture
async def rig(mongo_url: str, database_name: str) -> AsyncIterator[Rig]:
    async with Rig.open(mongo_url, database_name, INDEXES) as opened:
        kinds = person_requests(opened.directory).task_kinds(opened.reader)
        opened.wire(routes=routes(opened.directory), task_kinds=kinds)
        yield opened


async def test_a_request_for_a_customer_means_all_their_accounts(rig: Rig) -> None:
    union = {"unionid": "union-of-two"}
    await rig.deliver(joined("g1", "u1", external_ids=union), joined("g2", "u2", external_ids=union))
    members = await rig.documents("members")
    (customer_id,) = {member["customer_id"] for member in members}
    data = PersonRequest(request_id="r1", person_id=customer_id, customer_id=customer_id, requested_by="key/1")
    await rig.deliver(ErasureRequested.about(customer_id, data, time=at(1), source="huiqun/tests"))
    (request,) = await rig.documents("person_requests")
    assert {account["member_id"] for account in request["accounts"]} == {"u1", "u2"}
    await rig.run_due(UNTIL_KNOWN)
    assert await rig.documents("members") == await rig.documents("identity_evidence") == []


async def test_who_is_erased_leaves_the_evidence_of_others(rig: Rig) -> None:
    shared = {"external_userid": "wm-of-both-1"}
    await rig.deliver(joined("g1", "u1", external_ids=shared), joined("g1", "u2", external_ids=shared))
    subject = Subject((Account("channel", "u1"),), at(1))
    await rig.run(lambda work: HOLDINGS[0].erase(work, subject))
    assert [member["member_id"] for member in await rig.documents("members")] == ["u2"]
    (evidence,) = await rig.documents("identity_evidence")
    assert [bearer.split("/")[1] for bearer in evidence["bearers"]] == ["u2"]
    await rig.deliver(updated("g1", "u2", 2, external_ids={"unionid": "union-of-one"}))
    assert len(await rig.documents("members")) == 1
