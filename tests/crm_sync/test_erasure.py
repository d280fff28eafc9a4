"""Customers who ask to be erased, on a real database."""

from collections.abc import AsyncIterator

import pytest_asyncio

from crm_sync.app import INDEXES, person_requests, routes
from crm_sync.customers.personal_data import HOLDINGS
from huiqun.contracts.fields import Account
from huiqun.contracts.privacy import ErasureRequested, PersonRequest
from huiqun.privacy.erasure.handlers import UNTIL_KNOWN
from huiqun.privacy.erasure.model import Subject
from huiqun.service.connections import SHARED_INDEXES
from huiqun.tasks.runner import TaskRunner
from tests.clocks import SetClock
from tests.due import run_all_due
from tests.inlet import Inlet, open_inlet
from tests.stories import at, joined, updated


@pytest_asyncio.fixture
async def clock() -> SetClock:
    return SetClock()


@pytest_asyncio.fixture
async def inlet(mongo_url: str, database_name: str, clock: SetClock) -> AsyncIterator[Inlet]:
    async with open_inlet(mongo_url, database_name, routes, {**SHARED_INDEXES, **INDEXES}, clock) as opened:
        yield opened


async def test_a_request_for_a_customer_means_all_their_accounts(inlet: Inlet, clock: SetClock) -> None:
    union = {"unionid": "union-of-two"}
    await inlet.deliver([joined("g1", "u1", external_ids=union), joined("g2", "u2", external_ids=union)])
    members = await inlet.documents("members")
    (customer_id,) = {member["customer_id"] for member in members.values()}
    data = PersonRequest(request_id="r1", person_id=customer_id, customer_id=customer_id, requested_by="key/1")
    await inlet.deliver([ErasureRequested.about(customer_id, data, time=at(1), source="huiqun/tests")])
    (request,) = (await inlet.documents("person_requests")).values()
    assert {account["member_id"] for account in request["accounts"]} == {"u1", "u2"}
    clock.moment += UNTIL_KNOWN
    await run_all_due(TaskRunner(inlet.transactor, person_requests(inlet.directory).task_kinds(inlet.reader)))
    assert await inlet.documents("members") == await inlet.documents("identity_evidence") == {}


async def test_who_is_erased_leaves_the_evidence_of_others(inlet: Inlet) -> None:
    shared = {"external_userid": "wm-of-both-1"}
    await inlet.deliver([joined("g1", "u1", external_ids=shared), joined("g1", "u2", external_ids=shared)])
    subject = Subject((Account("channel", "u1"),), at(1))
    await inlet.transactor.run(lambda work: HOLDINGS[0].erase(work, subject))
    assert [member["member_id"] for member in (await inlet.documents("members")).values()] == ["u2"]
    (evidence,) = (await inlet.documents("identity_evidence")).values()
    assert [bearer.split("/")[1] for bearer in evidence["bearers"]] == ["u2"]
    await inlet.deliver([updated("g1", "u2", 2, external_ids={"unionid": "union-of-one"})])
    assert len(await inlet.documents("members")) == 1
