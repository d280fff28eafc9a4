"""Exceptions to rules over HTTP: granted with reason and end, taken back, and in force."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from huiqun.runtime.ids import new_id
from huiqun.web import Role
from tests.moderation.interface import Interface, kind_of


def wish(group: str, **changes: Any) -> dict[str, Any]:
    until = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    return {"group_id": group, "member_id": "u1", "rule": "links", "until": until, "reason": "a speaker", **changes}


async def request(interface: Interface, group: str, **changes: Any) -> dict[str, Any]:
    """Have a moderator ask for an exception."""
    answer = await interface.ask("POST", "/exceptions", json=wish(group, **changes))
    assert answer.status_code == 201, answer.text
    requested: dict[str, Any] = answer.json()
    return requested


async def approve(interface: Interface, asked: dict[str, Any], role: Role = "admin") -> httpx.Response:
    """Have somebody approve it as it was read."""
    body = {"content_hash": asked["content_hash"]}
    return await interface.ask("POST", f"/exceptions/{asked['id']}/approval", role, json=body)


async def grant(interface: Interface, group: str, **changes: Any) -> dict[str, Any]:
    """Have one person ask for an exception, and another approve it."""
    answer = await approve(interface, await request(interface, group, **changes))
    assert answer.status_code == 200, answer.text
    granted: dict[str, Any] = answer.json()
    return granted


async def excepted(interface: Interface, group: str) -> set[tuple[str, str | None]]:
    """The exceptions that the group's messages are judged under: rules and members."""
    await interface.rig.keeper.refresh()
    settings = interface.rig.keeper.current().policies.settings_of(group)
    return {(each.rule, each.member_id) for each in settings.exceptions}


async def test_an_exception_is_granted_listed_and_in_force(interface: Interface) -> None:
    group = new_id()
    first = await grant(interface, group)
    second = await grant(interface, group, member_id=None, rule="lexicon/ads")
    listed = await interface.list_all("/exceptions", group_id=group)
    assert [each["id"] for each in listed] == [second["id"], first["id"]]
    assert (await interface.ask("GET", f"/exceptions/{first['id']}", "viewer")).json() == first
    assert await excepted(interface, group) == {("links", "u1"), ("lexicon/ads", None)}
    assert await interface.audited(f"group/{group}") == ["exception.requested", "exception.granted"] * 2


async def test_an_exception_that_is_taken_back_holds_no_longer_and_stays_on_record(interface: Interface) -> None:
    group = new_id()
    granted = await grant(interface, group)
    for _ in range(2):
        revoked = (await interface.ask("DELETE", f"/exceptions/{granted['id']}")).json()
        assert revoked["revoked_by"] == granted["granted_by"]
    assert await excepted(interface, group) == set()
    audited = await interface.audited(f"group/{group}")
    assert audited == ["exception.requested", "exception.granted", "exception.revoked"]
    assert len(await interface.list_all("/exceptions", group_id=group)) == 1


async def test_an_exception_holds_only_once_somebody_else_has_approved_it(interface: Interface) -> None:
    group = new_id()
    asked = await request(interface, group)
    assert (asked["state"], asked["approved_by"]) == ("submitted", None)
    assert await excepted(interface, group) == set()
    assert kind_of(await approve(interface, asked, "moderator")) == (403, "four-eyes")
    assert kind_of(await approve(interface, {**asked, "content_hash": "0" * 64})) == (409, "approval-mismatch")
    approved = (await approve(interface, asked)).json()
    assert approved["approved_by"] not in (None, approved["granted_by"])
    assert await excepted(interface, group) == {("links", "u1")}
    assert kind_of(await approve(interface, asked)) == (409, "version-state")


async def test_a_wish_for_an_exception_is_taken_back_and_not_approved_any_more(interface: Interface) -> None:
    asked = await request(interface, new_id())
    assert (await interface.ask("DELETE", f"/exceptions/{asked['id']}")).status_code == 200
    assert kind_of(await approve(interface, asked)) == (409, "version-state")


async def test_where_one_pair_of_eyes_is_enough_an_exception_holds_at_once(interface: Interface) -> None:
    group = new_id()
    with interface.without_four_eyes():
        asked = await request(interface, group)
    assert asked["state"] == "approved"
    assert await excepted(interface, group) == {("links", "u1")}


async def test_exceptions_of_a_release_without_approvals_hold_and_are_shown(interface: Interface) -> None:
    group, now = new_id(), datetime.now(UTC)
    document = {
        "_id": new_id(),
        "group_id": group,
        "rule": "links",
        "member_id": "u1",
        "until": now + timedelta(days=7),
        "reason": "a speaker",
        "granted_by": "key:somebody",
        "granted_at": now,
    }
    await interface.rig.database["rule_exceptions"].insert_one(document)
    await grant(interface, group, member_id="u2")
    assert await excepted(interface, group) == {("links", "u1"), ("links", "u2")}
    former = (await interface.ask("GET", f"/exceptions/{document['_id']}")).json()
    assert (former["state"], former["approved_by"]) == ("approved", None)


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
        assert kind_of(await interface.ask(method, f"/exceptions/{new_id()}")) == (404, "not-found")
