"""A group's own rules over HTTP: what holds and who says so, a second person, going back."""

from huiqun.runtime.ids import new_id
from tests.moderation.interface import Interface, kind_of
from tests.moderation.own_rules.drafts import approve_own_rules, give_own_rules, request_own_rules
from tests.moderation.policies.drafts import activate, policy_id, write_policy


async def test_a_group_sees_what_holds_there_and_who_says_so(own_interface: Interface) -> None:
    group, name = new_id(), policy_id()
    await write_policy(own_interface, "default", {"quota": {"per_day": 4}, "flood": None})
    await activate(own_interface, "default")
    await write_policy(own_interface, name, {"quota": {"verdict": "block"}})
    await activate(own_interface, name)
    await own_interface.ask("PUT", f"/groups/{group}", json={"policy_id": name}, headers={"If-Match": "*"})
    answer = await give_own_rules(own_interface, group, {"lexicon": {"categories": {"ads": "review"}}})
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
    assert (await give_own_rules(interface, group, {"quota": {"per_day": 9}})).status_code == 200
    assert kind_of(await give_own_rules(interface, group, {"quota": {"per_day": 8}})) == (412, "stale")
    again = await give_own_rules(interface, group, {"quota": {"per_day": 9}}, 1)
    assert again.headers["etag"] == '"1"'
    gone = (await give_own_rules(interface, group, {}, 1)).json()
    assert (gone["policy"], gone["own_rules"], gone["own_revision"]) == ("default@0", {}, 2)
    steps = ["group.rules.version.written", "group.rules.version.submitted", "group.rules.activated"]
    assert await interface.audited(f"group/{group}") == steps * 2


async def test_own_rules_hold_only_once_somebody_else_has_agreed(interface: Interface) -> None:
    group = new_id()
    asked = (await request_own_rules(interface, group, {"flood": {"messages": 9}})).json()
    assert (asked["policy"], asked["own_revision"], asked["own_waiting"]) == ("default@0", 0, 1)
    path = f"/groups/{group}/policy/versions"
    assert (await interface.ask("GET", f"{path}/1/diff")).json()["differences"] == [
        {"path": "flood/messages", "old": 8, "new": 9}
    ]
    assert kind_of(await approve_own_rules(interface, group, 1, "moderator")) == (403, "four-eyes")
    assert kind_of(await approve_own_rules(interface, group, 2)) == (404, "not-found")
    agreed = (await approve_own_rules(interface, group, 1)).json()
    assert (agreed["policy"], agreed["own_rules"], agreed["own_waiting"]) == (
        "default@0+g1",
        {"flood": {"messages": 9}},
        None,
    )
    version = (await interface.ask("GET", f"{path}/1")).json()
    assert (version["state"], version["note"]) == ("approved", "launch week")


async def test_own_rules_of_before_are_gone_back_to_with_a_reason(interface: Interface) -> None:
    group = new_id()
    await give_own_rules(interface, group, {"quota": {"per_day": 9}})
    await give_own_rules(interface, group, {"quota": {"per_day": 7}}, 1)
    assert kind_of(await approve_own_rules(interface, group, 1, "moderator")) == (422, "reason-required")
    back = await approve_own_rules(interface, group, 1, "moderator", reason="7 were too few")
    assert (back.json()["policy"], back.headers["etag"]) == ("default@0+g1", '"1"')
    listed = await interface.list_all(f"/groups/{group}/policy/versions")
    assert [version["version"] for version in listed] == [2, 1]


async def test_where_one_pair_of_eyes_is_enough_own_rules_hold_at_once(interface: Interface) -> None:
    with interface.without_four_eyes():
        answer = await request_own_rules(interface, new_id(), {"quota": {"per_day": 9}})
    assert (answer.json()["policy"], answer.headers["etag"]) == ("default@0+g1", '"1"')


async def test_own_rules_of_a_release_without_versions_are_shown_and_gone_back_to(interface: Interface) -> None:
    group, groups = new_id(), interface.rig.database["groups"]
    older = {"own_rules": {"quota": {"per_day": 9}}, "own_revision": 3}
    await groups.update_one({"_id": group}, {"$set": older}, upsert=True)
    assert (await interface.ask("GET", f"/groups/{group}/policy")).json()["policy"] == "default@0+g3"
    asked = (await request_own_rules(interface, group, {"quota": {"per_day": 7}}, 3)).json()
    assert (asked["policy"], asked["own_waiting"]) == ("default@0+g3", 4)
    # Meanwhile the older release gives the group others, under the number that waits.
    newer = {"$set": {"own_rules": {"quota": {"per_day": 8}}}, "$inc": {"own_revision": 1}}
    await groups.update_one({"_id": group}, newer)
    agreed = (await approve_own_rules(interface, group, 4, reason="as agreed")).json()
    assert (agreed["policy"], agreed["own_rules"]) == ("default@0+g4", {"quota": {"per_day": 7}})
    listed = await interface.list_all(f"/groups/{group}/policy/versions")
    assert [(each["version"], each["rules"]["quota"]["per_day"]) for each in listed] == [(5, 8), (4, 7), (3, 9)]


async def test_own_rules_that_make_no_sense_with_what_they_inherit_are_refused(interface: Interface) -> None:
    group = new_id()
    answer = await give_own_rules(interface, group, {"quiet_hours": {"start": "08:00", "end": "07:30"}})
    assert kind_of(answer) == (422, "unfit-policy")
    assert answer.json()["errors"][0]["pointer"] == "#/rules/quiet_hours"
    answer = await give_own_rules(interface, group, {"membership": {"consent": {}}})
    assert "no rules" in answer.json()["errors"][0]["detail"]
