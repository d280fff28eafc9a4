"""Versions over HTTP: two pairs of eyes, comparison, and what inherits from what."""

from typing import Any

from huiqun.runtime.ids import new_id
from tests.moderation.interface import Interface, kind_of
from tests.moderation.policies.drafts import activate, approve, policy_id, written


async def write(interface: Interface, name: str, rules: dict[str, Any]) -> None:
    answer = await interface.ask("POST", f"/policies/{name}/versions", json={"rules": rules})
    assert answer.status_code == 201, answer.text


async def own(interface: Interface, group: str, rules: dict[str, Any], revision: int = 0) -> Any:
    body = {"rules": rules, "reason": "launch week"}
    return await interface.ask("PUT", f"/groups/{group}/policy", json=body, headers={"If-Match": f'"{revision}"'})


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
    await write(interface, name, {})
    await activate(interface, name, 2)
    body = {"version": 1, "reason": "an emergency"}
    answer = await interface.ask("POST", f"/policies/{name}/activation", json=body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["active"]) == (200, 1)


async def test_where_one_pair_of_eyes_is_enough_the_author_does_it(interface: Interface) -> None:
    name = await written(interface)
    interface.served.app.state.four_eyes = False
    try:
        answer = await interface.ask(
            "POST", f"/policies/{name}/activation", json={"version": 1}, headers={"If-Match": "*"}
        )
    finally:
        interface.served.app.state.four_eyes = True
    assert answer.status_code == 200


async def test_a_version_shows_what_it_says_and_what_would_hold(interface: Interface) -> None:
    name = policy_id()
    await write(interface, name, {"quota": {"per_day": 7}, "links": None})
    version = (await interface.ask("GET", f"/policies/{name}/versions/1", "viewer")).json()
    assert version["rules"] == {"quota": {"per_day": 7}, "links": None}
    assert version["effective"]["quota"] == {"per_day": 7, "verdict": "warn", "shadow": False}
    assert version["effective"]["links"] is None
    assert version["effective"]["flood"]["messages"] == 8


async def test_two_versions_are_compared_value_by_value(interface: Interface) -> None:
    name = policy_id()
    await write(interface, name, {"quota": {"per_day": 7}})
    await write(interface, name, {"quota": {"per_day": 9, "verdict": "block"}, "contacts": None})
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
    assert kind_of(await interface.ask("GET", f"/policies/{name}/versions/0/diff")) == (404, "unknown-policy")
    await write(interface, name, {"quota": {"per_day": 7}})
    assert kind_of(await interface.ask("GET", f"/policies/{name}/versions/2/diff")) == (404, "unknown-policy")


async def test_a_group_sees_what_holds_there_and_who_says_so(own_interface: Interface) -> None:
    group, name = new_id(), policy_id()
    await write(own_interface, "default", {"quota": {"per_day": 4}, "flood": None})
    await activate(own_interface, "default")
    await write(own_interface, name, {"quota": {"verdict": "block"}})
    await activate(own_interface, name)
    await own_interface.ask("PUT", f"/groups/{group}", json={"policy_id": name}, headers={"If-Match": "*"})
    answer = await own(own_interface, group, {"lexicon": {"categories": {"ads": "review"}}})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    found = (await own_interface.ask("GET", f"/groups/{group}/policy", "viewer")).json()
    assert found == answer.json()
    assert found["policy"] == f"{name}@1+d1+g1"
    assert found["layers"] == ["built_in", "default@1", f"{name}@1", "group"]
    sources = {origin["path"]: (origin["value"], origin["source"]) for origin in found["origins"]}
    assert sources["quota/per_day"] == (4, "default@1")
    assert sources["quota/verdict"] == ("block", f"{name}@1")
    assert sources["flood"] == (None, "default@1")
    assert sources["lexicon/categories/ads"] == ("review", "group")
    assert sources["lexicon/categories/fraud"] == ("block", "built_in")
    assert found["own_rules"] == {"lexicon": {"categories": {"ads": "review"}}}
    await own_interface.rig.keeper.refresh()
    policies = own_interface.rig.keeper.current().policies
    assert policies.policy_of(policies.settings_of(group)).label == f"{name}@1+d1+g1"


async def test_own_rules_are_changed_by_who_has_seen_them_and_taken_away_again(interface: Interface) -> None:
    group = new_id()
    assert (await own(interface, group, {"quota": {"per_day": 9}})).status_code == 200
    assert kind_of(await own(interface, group, {"quota": {"per_day": 8}})) == (412, "stale")
    again = await own(interface, group, {"quota": {"per_day": 9}}, 1)
    assert again.headers["etag"] == '"1"'
    gone = (await own(interface, group, {}, 1)).json()
    assert (gone["policy"], gone["own_rules"], gone["own_revision"]) == ("default@0", {}, 2)
    assert await interface.audited(f"group/{group}") == ["group.rules.changed"] * 2


async def test_own_rules_that_make_no_sense_with_what_they_inherit_are_refused(interface: Interface) -> None:
    group = new_id()
    answer = await own(interface, group, {"quiet_hours": {"start": "08:00", "end": "07:30"}})
    assert kind_of(answer) == (422, "unfit-policy")
    assert answer.json()["errors"][0]["pointer"] == "#/rules/quiet_hours"
    answer = await own(interface, group, {"membership": {"consent": {}}})
    assert "no rules" in answer.json()["errors"][0]["detail"]


async def test_what_would_make_those_below_unfit_is_refused_with_their_names(own_interface: Interface) -> None:
    interface, group, name = own_interface, new_id(), policy_id()
    await write(interface, "default", {"membership": {"rules_text": "1. 文明交流。"}})
    await activate(interface, "default")
    await write(interface, name, {"membership": {"consent": {}}})
    await activate(interface, name)
    await own(interface, group, {"membership": {"posting": {}}})
    await write(interface, "default", {})
    answer = await approve(interface, "default", 2)
    assert kind_of(answer) == (409, "unfit-heirs")
    assert f"policy {name}@1" in answer.json()["detail"]
    assert f"group {group}" in answer.json()["detail"]
    assert (await interface.ask("GET", "/policies/default")).json()["active"] == 1


async def test_a_policy_that_does_not_go_with_the_own_rules_of_a_group_is_not_given_to_it(
    own_interface: Interface,
) -> None:
    interface, group, silent, strict = own_interface, new_id(), policy_id(), policy_id()
    await write(interface, silent, {"membership": {"rules_text": "1. 文明交流。"}})
    await write(interface, strict, {})
    for name in (silent, strict):
        await activate(interface, name)
    await interface.ask("PUT", f"/groups/{group}", json={"policy_id": silent}, headers={"If-Match": "*"})
    assert (await own(interface, group, {"membership": {"consent": {}}})).status_code == 200
    answer = await interface.ask("PUT", f"/groups/{group}", json={"policy_id": strict}, headers={"If-Match": "*"})
    assert kind_of(answer) == (409, "unfit-heirs")
