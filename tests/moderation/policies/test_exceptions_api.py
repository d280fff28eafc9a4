"""Exceptions to rules over HTTP: granted with reason and end, taken back, and in force."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huiqun.runtime.ids import new_id
from tests.moderation.interface import Interface, kind_of


def wish(group: str, **changes: Any) -> dict[str, Any]:
    until = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    return {"group_id": group, "member_id": "u1", "rule": "links", "until": until, "reason": "a speaker", **changes}


async def grant(interface: Interface, group: str, **changes: Any) -> dict[str, Any]:
    answer = await interface.ask("POST", "/exceptions", json=wish(group, **changes))
    assert answer.status_code == 201, answer.text
    granted: dict[str, Any] = answer.json()
    return granted


async def test_an_exception_is_granted_listed_and_in_force(interface: Interface) -> None:
    group = new_id()
    first = await grant(interface, group)
    second = await grant(interface, group, member_id=None, rule="lexicon/ads")
    listed = await interface.list_all("/exceptions", group_id=group)
    assert [each["id"] for each in listed] == [second["id"], first["id"]]
    assert (await interface.ask("GET", f"/exceptions/{first['id']}", "viewer")).json() == first
    await interface.rig.keeper.refresh()
    settings = interface.rig.keeper.current().policies.settings_of(group)
    assert {(each.rule, each.member_id) for each in settings.exceptions} == {("links", "u1"), ("lexicon/ads", None)}
    assert await interface.audited(f"group/{group}") == ["exception.granted"] * 2


async def test_an_exception_that_is_taken_back_holds_no_longer_and_stays_on_record(interface: Interface) -> None:
    group = new_id()
    granted = await grant(interface, group)
    for _ in range(2):
        revoked = (await interface.ask("DELETE", f"/exceptions/{granted['id']}")).json()
        assert revoked["revoked_by"] == granted["granted_by"]
    await interface.rig.keeper.refresh()
    assert interface.rig.keeper.current().policies.settings_of(group).exceptions == ()
    assert await interface.audited(f"group/{group}") == ["exception.granted", "exception.revoked"]
    assert len(await interface.list_all("/exceptions", group_id=group)) == 1


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"rule": "gravity"}, "unfit-exception"),
        ({"rule": "links/links"}, "unfit-exception"),
        ({"until": "2020-01-01T00:00:00Z"}, "unfit-exception"),
        ({"until": "2099-01-01T00:00:00Z"}, "unfit-exception"),
        ({"until": "2026-12-01T00:00:00"}, "invalid-request"),
        ({"reason": "  "}, "invalid-request"),
        ({"rule": "Links!"}, "invalid-request"),
    ],
)
async def test_an_exception_without_a_rule_an_end_or_a_reason_is_refused(
    interface: Interface, changes: dict[str, Any], kind: str
) -> None:
    assert kind_of(await interface.ask("POST", "/exceptions", json=wish(new_id(), **changes))) == (422, kind)


async def test_only_moderators_grant_and_what_is_not_there_is_not_taken_back(interface: Interface) -> None:
    assert kind_of(await interface.ask("POST", "/exceptions", "operator", json=wish(new_id()))) == (403, "forbidden")
    for method in ("GET", "DELETE"):
        assert kind_of(await interface.ask(method, f"/exceptions/{new_id()}")) == (404, "unknown-exception")
