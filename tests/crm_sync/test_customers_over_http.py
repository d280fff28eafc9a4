"""Customers as they are read over HTTP."""

from typing import Any

from huiqun.testing.events import member_joined, member_left, member_updated
from huiqun.testing.http import list_all_pages
from huiqun.testing.rig import Rig
from tests.crm_sync.test_customers import CORP, OTHER_CORP, UNION, of


async def test_customers_are_read_in_pages_by_group_and_by_any_of_their_ids(rig: Rig) -> None:
    await rig.deliver(*[member_joined(group, f"u{n}", n) for group in ("g1", "g2") for n in range(5)])
    await rig.deliver(
        member_left("g2", "u1", 9), member_left("g2", "s1", 9), member_updated("g2", "u2", 9, external_ids=UNION)
    )
    http = await rig.http("operator")
    everybody = await list_all_pages(http, "/api/v1/customers", limit=2)
    assert sorted(item["ids"][-1]["id"] for item in everybody) == ["u0", "u1", "u2", "u3", "u4"]
    in_group = await list_all_pages(http, "/api/v1/customers", limit=2, group_id="g2")
    assert sorted(item["ids"][-1]["id"] for item in in_group) == ["u0", "u2", "u3", "u4"]
    one = (await http.get("/api/v1/customers/u2")).json()
    assert (one["ids"][0], one["groups"]) == (union_id("union-1"), ["g1", "g2"])
    assert (await http.get("/api/v1/customers/union-1")).json() == one
    assert (await http.get("/api/v1/customers/s1")).status_code == 404


def union_id(value: str) -> dict[str, Any]:
    return {"kind": "unionid", "id": value, "source": None}


async def test_an_id_of_several_customers_is_answered_when_its_kind_or_channel_is_named(rig: Rig) -> None:
    await rig.deliver(of(CORP, member_joined("g1", "union-1")), of(OTHER_CORP, member_joined("g9", "union-1")))
    await rig.deliver(member_joined("g1", "u1", external_ids=UNION))
    http = await rig.http("operator")
    path = "/api/v1/customers/union-1"
    assert (await http.get(path)).status_code == 409
    assert (await http.get(path, params={"kind": "member_id"})).status_code == 409
    by_union = (await http.get(path, params={"kind": "unionid"})).json()
    assert [each["id"] for each in by_union["ids"]] == ["union-1", "u1"]
    of_corp = (await http.get(path, params={"kind": "member_id", "source": CORP})).json()
    assert of_corp["groups"] == ["g1"]
    assert (await http.get(path, params={"kind": "external_userid"})).status_code == 404
