"""Customers and their ids, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import hypothesis.strategies as st
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings

from crm_sync.app import INDEXES, ROUTERS, ROUTES
from crm_sync.customers.model import IdKind, ids_of
from huiqun.contracts.channel import Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import Verdict
from tests.inlet import Inlet, every_page, open_inlet, open_interface
from tests.stories import at, joined, left, screened, tellings, updated

SHARED = [HealthCheck.function_scoped_fixture]


@pytest_asyncio.fixture
async def inlet(mongo_url: str, database_name: str) -> AsyncIterator[Inlet]:
    async with open_inlet(mongo_url, database_name, ROUTES, INDEXES) as opened:
        yield opened


async def customers(inlet: Inlet) -> dict[str, dict[str, Any]]:
    return await inlet.documents("customers")


def groups(document: dict[str, Any]) -> set[str]:
    return {group["group_id"] for group in document["groups"] if group["present"]}


async def test_a_customer_stands_under_the_strongest_id_known(inlet: Inlet) -> None:
    ids = {"unionid": "union-1", "external_userid": "wm-1"}
    await inlet.deliver([joined("g1", "u1", 1, external_ids=ids, display_name="王女士")])
    await inlet.deliver([joined("g1", "u2", 1, external_ids={"external_userid": "wm-2"}), screened("g1", "u3", 2)])
    found = await customers(inlet)
    assert found.keys() == {"union-1", "wm-2", "u3"}
    assert found["union-1"]["display_name"] == "王女士"
    assert (found["union-1"]["first_seen"], found["u3"]["last_seen"]) == (at(1), at(2))


async def test_one_unionid_in_two_groups_is_one_customer(inlet: Inlet) -> None:
    ids = {"unionid": "union-1"}
    await inlet.deliver([joined("g1", "u1", 1, external_ids=ids, display_name="王")])
    await inlet.deliver([joined("g2", "u2", 2, external_ids=ids, display_name="王女士"), screened("g1", "u1", 3)])
    (customer,) = (await customers(inlet)).values()
    assert groups(customer) == {"g1", "g2"}
    assert (customer["display_name"], customer["first_seen"], customer["last_seen"]) == ("王女士", at(1), at(3))


async def test_stubs_become_one_when_it_turns_out_that_they_are_one_person(inlet: Inlet) -> None:
    await inlet.deliver([screened("g1", "u1", 5), screened("g2", "u2", 1)])
    assert (await customers(inlet)).keys() == {"u1", "u2"}
    await inlet.deliver([updated("g1", "u1", 6, external_ids={"external_userid": "wm-1"})])
    await inlet.deliver([joined("g2", "u2", 7, external_ids={"external_userid": "wm-1", "unionid": "union-1"})])
    found = await customers(inlet)
    assert found.keys() == {"union-1"}
    assert groups(found["union-1"]) == {"g1", "g2"}
    assert (found["union-1"]["first_seen"], found["union-1"]["last_seen"]) == (at(1), at(7))


async def test_staff_and_bots_are_no_customers(inlet: Inlet) -> None:
    await inlet.deliver([joined("g1", "s1", role=Role.STAFF), screened("g1", "b1", role=Role.BOT)])
    assert await customers(inlet) == {}
    await inlet.deliver([left("g1", "s1", 1)])
    assert not (await customers(inlet))["s1"]["confirmed"], "a departure does not say what its member was"


async def test_who_left_a_group_is_not_in_it_but_stays_a_customer(inlet: Inlet) -> None:
    await inlet.deliver([joined("g1", "u1", 1), joined("g2", "u1", 1), left("g1", "u1", 2), screened("g1", "u1", 1.5)])
    (customer,) = (await customers(inlet)).values()
    assert groups(customer) == {"g2"}
    assert customer["confirmed"]


async def test_blocked_messages_show_the_customer_too_but_no_text_is_kept(inlet: Inlet) -> None:
    await inlet.deliver([screened("g1", "u1", 1, Verdict.BLOCK)])
    assert (await customers(inlet))["u1"]["last_seen"] == at(1)
    assert "您好" not in str(await customers(inlet))


@pytest.mark.parametrize("useless", ["", " ", "two words", "a/b", "x" * 129, "a\x00b"])
def test_external_ids_that_are_no_ids_are_passed_over(useless: str) -> None:
    assert ids_of("u1", {"unionid": useless, "phone": "13800000000"}) == {"u1": IdKind.MEMBER_ID}


async def test_batches_at_the_same_time_about_one_person_make_one_customer(inlet: Inlet) -> None:
    """Two lanes or replicas, each with a group of its own: one of them finds the other's work and begins again."""
    ids = {"unionid": "union-1"}
    for number in range(10):
        batches = [[joined(f"g{group}", f"u{group}-{number}", external_ids=ids)] for group in range(3)]
        failures = await asyncio.gather(*map(inlet.deliver, batches), return_exceptions=True)
        for batch, failure in zip(batches, failures, strict=True):
            if failure is not None:
                await inlet.deliver(batch)
    (customer,) = (await customers(inlet)).values()
    assert groups(customer) == {"g0", "g1", "g2"}
    assert len(customer["groups"]) == 30


async def test_customers_are_read_in_pages_by_group_and_by_any_of_their_ids(inlet: Inlet) -> None:
    await inlet.deliver([joined(group, f"u{n}", n) for group in ("g1", "g2") for n in range(5)])
    await inlet.deliver([left("g2", "u1", 9), left("g2", "s1", 9), updated("g2", "u2", 9, external_ids=UNION)])
    async with open_interface(inlet, ROUTERS) as http:
        everybody = await every_page(http, "/api/v1/customers", limit=2)
        assert [item["customer_id"] for item in everybody] == ["u0", "u1", "u3", "u4", "union-1"]
        in_group = await every_page(http, "/api/v1/customers", limit=2, group_id="g2")
        assert [item["customer_id"] for item in in_group] == ["u0", "u3", "u4", "union-1"]
        one = (await http.get("/api/v1/customers/u2")).json()
        assert (one["customer_id"], one["groups"]) == ("union-1", ["g1", "g2"])
        assert (await http.get("/api/v1/customers/s1")).status_code == 404


UNION = {"unionid": "union-1"}
EXTERNAL = {"external_userid": "wm-1"}
STREAMS: list[list[Event]] = [
    [joined("a", "u1", 1, external_ids=EXTERNAL), left("a", "u1", 2), joined("a", "u1", 2, display_name="王")],
    [screened("a", "u1", 0), screened("a", "u9", 3)],
    [joined("b", "u2", 1, external_ids=UNION, display_name="王女士"), left("b", "u2", 4)],
    [screened("b", "u2", 5), screened("b", "u1", 6)],
    [joined("c", "u3", 2, external_ids=UNION | EXTERNAL, display_name="王某"), updated("c", "u3", 9)],
]


@settings(max_examples=12, deadline=None, suppress_health_check=SHARED)
@given(st.data())
async def test_duplicates_and_any_order_between_partitions_lead_to_the_same_customers(
    inlet: Inlet, data: st.DataObject
) -> None:
    await inlet.clear()
    for stream in STREAMS:
        await inlet.deliver(stream)
    expected = await customers(inlet)
    assert expected.keys() == {"union-1", "u9"}
    await inlet.clear()
    for batch in data.draw(tellings(STREAMS)):
        await inlet.deliver(batch)
    assert await customers(inlet) == expected
