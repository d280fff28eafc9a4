"""Groups over HTTP: they are given policies, which are in force everywhere."""

from huiqun.runtime.ids import new_id
from huiqun.testing.waiting import eventually, running_component
from moderation.rulebook.handlers import RulebookKeeper
from tests.moderation.interface import Interface, kind_of
from tests.moderation.own_rules.drafts import give_own_rules
from tests.moderation.policies.drafts import activate, policy_id, write_policy, written


async def test_a_group_is_given_a_policy_that_is_in_force_and_no_other(interface: Interface) -> None:
    group, name = new_id(), await written(interface)
    seen = {"If-Match": '"0"'}
    body = {"policy_id": name}
    assert kind_of(await interface.ask("PUT", f"/groups/{group}", json=body)) == (428, "precondition-required")
    assert kind_of(await interface.ask("PUT", f"/groups/{group}", json=body, headers=seen)) == (409, "inactive-policy")
    answer = await interface.ask("PUT", f"/groups/{group}", json={"policy_id": policy_id()}, headers=seen)
    assert kind_of(answer) == (404, "not-found")
    await activate(interface, name)
    answer = await interface.ask("PUT", f"/groups/{group}", json=body, headers=seen)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    effective = answer.json()["effective_policy"]
    assert (effective["id"], effective["version"], effective["source"]) == (name, 1, "assigned")
    assert kind_of(await interface.ask("PUT", f"/groups/{group}", json=body, headers=seen)) == (412, "stale")
    back = await interface.ask("PUT", f"/groups/{group}", json={"policy_id": None}, headers={"If-Match": '"1"'})
    assert (back.json()["policy_id"], back.json()["effective_policy"]["source"]) == (None, "built_in")
    assert await interface.audited(f"group/{group}") == ["group.policy.assigned", "group.policy.assigned"]
    assert group in [each["id"] for each in await interface.list_all("/groups")]


async def test_what_is_activated_and_assigned_here_is_in_force_in_another_process(interface: Interface) -> None:
    elsewhere = RulebookKeeper(interface.rig.database)
    await elsewhere.refresh()
    group, name = new_id(), await written(interface)
    async with running_component(elsewhere):
        await activate(interface, name)
        await interface.ask("PUT", f"/groups/{group}", json={"policy_id": name}, headers={"If-Match": "*"})

        def in_force() -> bool:
            policies = elsewhere.current().policies
            return policies.policy_of(policies.settings_of(group)).label == f"{name}@1"

        await eventually(in_force)


async def test_a_policy_that_does_not_go_with_the_own_rules_of_a_group_is_not_given_to_it(
    own_interface: Interface,
) -> None:
    interface, group, silent, strict = own_interface, new_id(), policy_id(), policy_id()
    await write_policy(interface, silent, {"membership": {"rules_text": "1. 文明交流。"}})
    await write_policy(interface, strict, {})
    for name in (silent, strict):
        await activate(interface, name)
    await interface.ask("PUT", f"/groups/{group}", json={"policy_id": silent}, headers={"If-Match": "*"})
    assert (await give_own_rules(interface, group, {"membership": {"consent": {}}})).status_code == 200
    answer = await interface.ask("PUT", f"/groups/{group}", json={"policy_id": strict}, headers={"If-Match": "*"})
    assert kind_of(answer) == (409, "unfit-heirs")
