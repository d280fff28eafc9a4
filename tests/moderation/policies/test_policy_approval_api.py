"""Versions over HTTP: two pairs of eyes, comparison, and what inherits from what."""

from huiqun.runtime.ids import new_id
from tests.moderation.interface import Interface, kind_of
from tests.moderation.own_rules.drafts import give_own_rules
from tests.moderation.policies.drafts import activate, approve, policy_id, write_policy, written


async def test_a_version_is_put_in_force_by_somebody_else_than_its_author(interface: Interface) -> None:
    name = await written(interface)
    body, seen = {"version": 1}, {"If-Match": "*"}
    answer = await interface.ask("POST", f"/policies/{name}/activation", json=body, headers=seen)
    assert kind_of(answer) == (403, "four-eyes")
    assert f"{name}@1" in answer.json()["detail"]
    await activate(interface, name)
    version = (await interface.ask("GET", f"/policies/{name}/versions/1")).json()
    assert version["approved_by"] != version["created_by"]
    assert version["approved_at"] is not None


async def test_its_author_may_go_back_to_a_version_that_was_looked_at_before(interface: Interface) -> None:
    name = await written(interface)
    await activate(interface, name)
    await write_policy(interface, name, {})
    await activate(interface, name, 2)
    body = {"version": 1, "reason": "an emergency"}
    answer = await interface.ask("POST", f"/policies/{name}/activation", json=body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["active"]) == (200, 1)


async def test_where_one_pair_of_eyes_is_enough_the_author_does_it(interface: Interface) -> None:
    name = await written(interface)
    with interface.without_four_eyes():
        answer = await interface.ask(
            "POST", f"/policies/{name}/activation", json={"version": 1}, headers={"If-Match": "*"}
        )
    assert answer.status_code == 200


async def test_a_version_is_submitted_approved_as_it_was_read_and_put_in_force_by_its_author(
    interface: Interface,
) -> None:
    name = await written(interface)
    path = f"/policies/{name}/versions/1"
    read = (await interface.ask("GET", path)).json()
    assert (read["state"], read["approved_by"]) == ("draft", None)
    body = {"content_hash": read["content_hash"]}
    assert kind_of(await interface.ask("POST", f"{path}/approval", "admin", json=body)) == (409, "version-state")
    assert (await interface.ask("POST", f"{path}/submission")).json()["state"] == "submitted"
    assert kind_of(await interface.ask("POST", f"{path}/approval", json=body)) == (403, "four-eyes")
    other = {"content_hash": "0" * 64}
    assert kind_of(await interface.ask("POST", f"{path}/approval", "admin", json=other)) == (409, "approval-mismatch")
    assert (await interface.ask("POST", f"{path}/approval", "admin", json=body)).json()["state"] == "approved"
    answer = await interface.ask("POST", f"/policies/{name}/activation", json={"version": 1}, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["active"]) == (200, 1)


async def test_an_edit_voids_an_approval_and_what_was_in_force_is_not_edited(interface: Interface) -> None:
    name = await written(interface)
    path = f"/policies/{name}/versions/1"
    read = (await interface.ask("POST", f"{path}/submission")).json()
    body = {"content_hash": read["content_hash"]}
    assert (await interface.ask("POST", f"{path}/approval", "admin", json=body)).status_code == 200
    draft = {"rules": {"quota": {"per_day": 9}}, "note": "one more thing"}
    assert kind_of(await interface.ask("PUT", path, "admin", json=draft)) == (428, "precondition-required")
    edited = (await interface.ask("PUT", path, "admin", json=draft, headers={"If-Match": "*"})).json()
    assert (edited["state"], edited["approved_by"], edited["rules"]) == ("draft", None, draft["rules"])
    assert len(edited["editors"]) == 2
    assert kind_of(await approve(interface, name)) == (403, "four-eyes"), "the other one has written in it, too"
    with interface.without_four_eyes():
        await activate(interface, name)
    again = await interface.ask("PUT", path, json=draft, headers={"If-Match": "*"})
    assert kind_of(again) == (409, "version-state")


async def test_a_version_is_rejected_with_a_reason_and_is_a_draft_again(interface: Interface) -> None:
    name = await written(interface)
    path = f"/policies/{name}/versions/1"
    await interface.ask("POST", f"{path}/submission")
    answer = await interface.ask("POST", f"{path}/rejection", "admin", json={"reason": " "})
    assert kind_of(answer) == (422, "reason-required")
    rejected = await interface.ask("POST", f"{path}/rejection", "admin", json={"reason": "too strict"})
    assert rejected.json()["state"] == "draft"


async def test_a_version_shows_what_it_says_and_what_would_hold(interface: Interface) -> None:
    name = policy_id()
    await write_policy(interface, name, {"quota": {"per_day": 7}, "links": None})
    version = (await interface.ask("GET", f"/policies/{name}/versions/1", "viewer")).json()
    assert version["rules"] == {"quota": {"per_day": 7}, "links": None}
    assert version["effective"]["quota"] == {"per_day": 7, "verdict": "warn", "shadow": False}
    assert version["effective"]["links"] is None
    assert version["effective"]["flood"]["messages"] == 8


async def test_two_versions_are_compared_value_by_value(interface: Interface) -> None:
    name = policy_id()
    await write_policy(interface, name, {"quota": {"per_day": 7}})
    await write_policy(interface, name, {"quota": {"per_day": 9, "verdict": "block"}, "contacts": None})
    path = f"/policies/{name}/versions/2/diff"
    first = (await interface.ask("GET", path)).json()
    assert first["against"] == 0, "with what it inherits, as none is in force"
    assert {"contacts/verdict", "quota/verdict"} <= {each["path"] for each in first["differences"]}
    answer = await interface.ask("GET", path, "viewer", params={"against": 1})
    assert answer.json()["differences"] == [
        {"path": "contacts/shadow", "old": False, "new": None},
        {"path": "contacts/verdict", "old": "block", "new": None},
        {"path": "quota/per_day", "old": 7, "new": 9},
        {"path": "quota/verdict", "old": "warn", "new": "block"},
    ]
    await activate(interface, name)
    assert (await interface.ask("GET", path)).json() == answer.json()


async def test_what_is_not_there_is_not_compared(interface: Interface) -> None:
    name = policy_id()
    assert kind_of(await interface.ask("GET", f"/policies/{name}/versions/0/diff")) == (404, "not-found")
    await write_policy(interface, name, {"quota": {"per_day": 7}})
    assert kind_of(await interface.ask("GET", f"/policies/{name}/versions/2/diff")) == (404, "not-found")


async def test_what_would_make_those_below_unfit_is_refused_with_their_names(own_interface: Interface) -> None:
    interface, group, name = own_interface, new_id(), policy_id()
    await write_policy(interface, "default", {"membership": {"rules_text": "1. 文明交流。"}})
    await activate(interface, "default")
    await write_policy(interface, name, {"membership": {"consent": {}}})
    await activate(interface, name)
    await give_own_rules(interface, group, {"membership": {"posting": {}}})
    await write_policy(interface, "default", {})
    answer = await approve(interface, "default", 2)
    assert kind_of(answer) == (409, "unfit-heirs")
    assert f"policy {name}@1" in answer.json()["detail"]
    assert f"group {group}" in answer.json()["detail"]
    assert (await interface.ask("GET", "/policies/default")).json()["active"] == 1
