"""Versions over HTTP: two pairs of eyes, comparison, and what inherits from what."""

from typing import Any

from huiqun.runtime.ids import new_id
from huiqun.web import Role
from tests.moderation.interface import Interface, kind_of
from tests.moderation.policies.drafts import activate, approve, policy_id, written


async def write(interface: Interface, name: str, rules: dict[str, Any]) -> None:
    answer = await interface.ask("POST", f"/policies/{name}/versions", json={"rules": rules})
    assert answer.status_code == 201, answer.text


async def own(interface: Interface, group: str, rules: dict[str, Any], revision: int = 0) -> Any:
    """What it is answered that a group is to have rules of its own, once somebody else has agreed."""
    answer = await ask_for_own(interface, group, rules, revision)
    if answer.status_code == 200 and answer.json()["own_waiting"]:
        answer = await agree_to_own(interface, group, answer.json()["own_waiting"])
    return answer


async def ask_for_own(interface: Interface, group: str, rules: dict[str, Any], revision: int = 0) -> Any:
    body = {"rules": rules, "reason": "launch week"}
    return await interface.ask("PUT", f"/groups/{group}/policy", json=body, headers={"If-Match": f'"{revision}"'})


async def agree_to_own(interface: Interface, group: str, version: int, role: Role = "admin", **body: str) -> Any:
    path, seen = f"/groups/{group}/policy/activation", {"If-Match": "*"}
    return await interface.ask("POST", path, role, json={"version": version, **body}, headers=seen)


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
    interface.served.app.state.four_eyes = False
    try:
        await activate(interface, name)
    finally:
        interface.served.app.state.four_eyes = True
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
    steps = ["group.rules.version.written", "group.rules.version.submitted", "group.rules.activated"]
    assert await interface.audited(f"group/{group}") == steps * 2


async def test_own_rules_hold_only_once_somebody_else_has_agreed(interface: Interface) -> None:
    group = new_id()
    asked = (await ask_for_own(interface, group, {"flood": {"messages": 9}})).json()
    assert (asked["policy"], asked["own_revision"], asked["own_waiting"]) == ("default@0", 0, 1)
    path = f"/groups/{group}/policy/versions"
    assert (await interface.ask("GET", f"{path}/1/diff")).json()["differences"] == [
        {"path": "flood/messages", "old": 8, "new": 9}
    ]
    assert kind_of(await agree_to_own(interface, group, 1, "moderator")) == (403, "four-eyes")
    assert kind_of(await agree_to_own(interface, group, 2)) == (404, "unknown-version")
    agreed = (await agree_to_own(interface, group, 1)).json()
    assert (agreed["policy"], agreed["own_rules"], agreed["own_waiting"]) == (
        "default@0+g1",
        {"flood": {"messages": 9}},
        None,
    )
    version = (await interface.ask("GET", f"{path}/1")).json()
    assert (version["state"], version["note"]) == ("approved", "launch week")


async def test_own_rules_of_before_are_gone_back_to_with_a_reason(interface: Interface) -> None:
    group = new_id()
    await own(interface, group, {"quota": {"per_day": 9}})
    await own(interface, group, {"quota": {"per_day": 7}}, 1)
    assert kind_of(await agree_to_own(interface, group, 1, "moderator")) == (422, "reason-required")
    back = await agree_to_own(interface, group, 1, "moderator", reason="7 were too few")
    assert (back.json()["policy"], back.headers["etag"]) == ("default@0+g1", '"1"')
    listed = await interface.list_all(f"/groups/{group}/policy/versions")
    assert [version["version"] for version in listed] == [2, 1]


async def test_where_one_pair_of_eyes_is_enough_own_rules_hold_at_once(interface: Interface) -> None:
    interface.served.app.state.four_eyes = False
    try:
        answer = await ask_for_own(interface, new_id(), {"quota": {"per_day": 9}})
    finally:
        interface.served.app.state.four_eyes = True
    assert (answer.json()["policy"], answer.headers["etag"]) == ("default@0+g1", '"1"')


async def test_own_rules_of_a_release_without_versions_are_shown_and_gone_back_to(interface: Interface) -> None:
    group, groups = new_id(), interface.rig.database["groups"]
    older = {"own_rules": {"quota": {"per_day": 9}}, "own_revision": 3}
    await groups.update_one({"_id": group}, {"$set": older}, upsert=True)
    assert (await interface.ask("GET", f"/groups/{group}/policy")).json()["policy"] == "default@0+g3"
    asked = (await ask_for_own(interface, group, {"quota": {"per_day": 7}}, 3)).json()
    assert (asked["policy"], asked["own_waiting"]) == ("default@0+g3", 4)
    # Meanwhile the older release gives the group others, under the number that waits.
    newer = {"$set": {"own_rules": {"quota": {"per_day": 8}}}, "$inc": {"own_revision": 1}}
    await groups.update_one({"_id": group}, newer)
    agreed = (await agree_to_own(interface, group, 4, reason="as agreed")).json()
    assert (agreed["policy"], agreed["own_rules"]) == ("default@0+g4", {"quota": {"per_day": 7}})
    listed = await interface.list_all(f"/groups/{group}/policy/versions")
    assert [(each["version"], each["rules"]["quota"]["per_day"]) for each in listed] == [(5, 8), (4, 7), (3, 9)]


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
