"""Policies and groups over HTTP: versions, activation, assignment, refusals."""

from typing import Any

import pytest

from huiqun.audit import verify_audit_log
from huiqun.runtime.ids import new_id
from tests.moderation.interface import Interface, kind_of, together
from tests.moderation.policies.drafts import QUIET, activate, approve, policy_id, written


async def test_before_anybody_writes_a_policy_the_built_in_default_is_in_force(own_interface: Interface) -> None:
    default = (await own_interface.ask("GET", "/policies/default", "viewer")).json()
    assert (default["latest"], default["active"], default["rules"]["lexicon"]["categories"]["ads"]) == (0, 0, "block")
    listed = await own_interface.list_all("/policies")
    assert "default" in [policy["id"] for policy in listed]
    assert (await own_interface.ask("GET", "/policies/default/versions/0")).json()["created_by"] == "huiqun"
    group = (await own_interface.ask("GET", f"/groups/{new_id()}")).json()
    assert (group["known"], group["effective_policy"]["source"]) == (False, "built_in")


async def test_a_version_is_a_draft_until_it_is_activated(interface: Interface) -> None:
    name = await written(interface)
    policy = await interface.ask("GET", f"/policies/{name}", "viewer")
    assert (policy.json()["latest"], policy.json()["active"], policy.json()["rules"]) == (1, None, None)
    answer = await approve(interface, name)
    assert (answer.status_code, answer.json()["active"]) == (200, 1)
    assert answer.headers["etag"] != policy.headers["etag"]
    assert (await interface.ask("GET", f"/policies/{name}")).json()["rules"]["quota"]["per_day"] == 3
    assert await interface.audited(f"policy/{name}") == ["policy.version.written", "policy.activated"]


async def test_an_older_version_can_be_activated_again(interface: Interface) -> None:
    name = await written(interface)
    await activate(interface, name)
    second = await interface.ask("POST", f"/policies/{name}/versions", json={"rules": {}})
    assert second.headers["location"].endswith("/versions/2")
    await activate(interface, name, 2)
    for reason in ("", " \n"):
        assert kind_of(await approve(interface, name, 1, reason=reason)) == (422, "reason-required")
    await activate(interface, name, 1, reason="too many warnings")
    assert (await interface.ask("GET", f"/policies/{name}")).json()["active"] == 1
    (entry, *_) = await interface.list_all("/audit", subject=f"policy/{name}")
    assert (entry["detail"]["before"], entry["detail"]["reason"]) == (2, "too many warnings")
    versions = await interface.list_all(f"/policies/{name}/versions")
    assert [version["version"] for version in versions] == [2, 1]


async def test_activating_what_is_in_force_changes_nothing(interface: Interface) -> None:
    name = await written(interface)
    await activate(interface, name)
    await activate(interface, name)
    assert await interface.audited(f"policy/{name}") == ["policy.version.written", "policy.activated"]


async def test_without_credentials_401_and_with_too_small_a_role_403(interface: Interface) -> None:
    for method, path in (("GET", "/policies"), ("POST", "/policies/x/versions"), ("GET", "/messages?group_id=g")):
        assert kind_of(await interface.ask(method, path, None)) == (401, "unauthenticated")
    assert kind_of(await interface.ask("POST", "/policies/x/versions", "operator", json=QUIET)) == (403, "forbidden")
    assert kind_of(await interface.ask("GET", "/audit", "moderator")) == (403, "forbidden")
    assert kind_of(await interface.ask("DELETE", "/lexicon/lists/x", "viewer")) == (403, "forbidden")


async def test_an_activation_needs_if_match_and_a_fresh_one(interface: Interface) -> None:
    name = await written(interface)
    path, body = f"/policies/{name}/activation", {"version": 1}
    assert kind_of(await interface.ask("POST", path, json=body)) == (428, "precondition-required")
    assert kind_of(await interface.ask("POST", path, json=body, headers={"If-Match": '"99"'})) == (412, "stale")
    assert (await interface.ask("GET", f"/policies/{name}")).json()["active"] is None


async def test_of_two_who_activate_at_the_same_time_one_is_told_that_it_is_stale(interface: Interface) -> None:
    name = await written(interface)
    await interface.ask("POST", f"/policies/{name}/versions", json={"rules": {}})
    etag = (await interface.ask("GET", f"/policies/{name}")).headers["etag"]
    answers = await together(
        *(
            interface.ask(
                "POST", f"/policies/{name}/activation", "admin", json={"version": version}, headers={"If-Match": etag}
            )
            for version in (1, 2)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_two_who_write_at_the_same_time_make_two_versions(interface: Interface) -> None:
    name = policy_id()
    answers = await together(*(interface.ask("POST", f"/policies/{name}/versions", json=QUIET) for _ in range(4)))
    assert sorted(answer.json()["version"] for answer in answers) == [1, 2, 3, 4]


async def test_a_repeated_idempotency_key_has_one_effect(interface: Interface) -> None:
    name = policy_id()
    headers = {"Idempotency-Key": new_id()}
    first = await interface.ask("POST", f"/policies/{name}/versions", json=QUIET, headers=headers)
    again = await interface.ask("POST", f"/policies/{name}/versions", json=QUIET, headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert (await interface.ask("GET", f"/policies/{name}")).json()["latest"] == 1
    assert await interface.audited(f"policy/{name}") == ["policy.version.written"]


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"quota": {"per_day": 0}}, "#/rules/quota/per_day"),
        ({"quota": {"per_day": 3, "verdict": "allow"}}, "#/rules/quota/verdict"),
        ({"lenght": {"max_characters": 100}}, "#/rules/lenght"),
        ({"quiet_hours": {"start": "22:00:00Z", "end": "07:00:00"}}, "#/rules/quiet_hours/start"),
        ({"ladder": {"mute_minutes": [10, 60, -5]}}, "#/rules/ladder/mute_minutes/2"),
        ({"ladder": {"scores": [0, 1, 2, 3, 4]}}, "#/rules/ladder/scores/0"),
        ({"ladder": {"weights": {"ads": -1}}}, "#/rules/ladder/weights/ads"),
        ([], "#/rules"),
    ],
)
async def test_rules_that_are_malformed_are_refused_with_the_place(
    interface: Interface, rules: Any, pointer: str
) -> None:
    answer = await interface.ask("POST", "/policies/x/versions", json={"rules": rules})
    assert kind_of(answer) == (422, "invalid-request")
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_a_number_beyond_all_bounds_is_refused(interface: Interface) -> None:
    answer = await interface.ask(
        "POST",
        "/policies/x/versions",
        content=b'{"rules": {"ladder": {"weights": {"ads": 1e400}}}}',
        headers={"Content-Type": "application/json"},
    )
    assert kind_of(answer)[0] in {400, 422}


OFF = ("flood", "duplicate", "links", "contacts", "personal_data", "announcements", "lexicon")


@pytest.mark.parametrize(
    ("rules", "pointer", "reason"),
    [
        (
            {"lexicon": {"shadow_categories": ["gossip"]}},
            "#/rules/lexicon/shadow_categories/0",
            "name in categories",
        ),
        (dict.fromkeys(OFF), "#/rules", "everything pass"),
        ({"kinds": {"forbidden": []}}, "#/rules/kinds/forbidden", "no kind"),
        ({"staff": {"categories": {"promise": "block"}}}, "#/rules/staff/categories/promise", "never blocked"),
        ({"quiet_hours": {"start": "00:00", "end": "23:30"}}, "#/rules/quiet_hours", "less than an hour"),
        ({"quiet_hours": {"start": "08:00", "end": "08:00"}}, "#/rules/quiet_hours/end", "no moment"),
        ({"length": {}}, "#/rules/length", "neither"),
        ({"length": {"max_characters": 1}}, "#/rules/length/max_characters", "nearly every message"),
        ({"links": {"allowed_domains": ["ok.example.com", "com"]}}, "#/rules/links/allowed_domains/1", "every link"),
        ({"links": {"allowed_domains": [".example.com"]}}, "#/rules/links/allowed_domains/0", "no domain"),
        ({"kinds": {"forbidden": ["text"]}}, "#/rules/kinds/forbidden", "hardly anything"),
        ({"ladder": {"scores": [5, 4, 3, 2, 1]}}, "#/rules/ladder/scores", "higher rung"),
        ({"ladder": {"mute_minutes": [60, 10, 5]}}, "#/rules/ladder/mute_minutes", "later mute"),
    ],
)
async def test_rules_that_make_no_sense_are_refused_with_the_reason(
    interface: Interface, rules: dict[str, Any], pointer: str, reason: str
) -> None:
    name = policy_id()
    answer = await interface.ask("POST", f"/policies/{name}/versions", json={"rules": rules})
    assert kind_of(answer) == (422, "unfit-policy")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert reason in error["detail"]
    assert kind_of(await interface.ask("GET", f"/policies/{name}")) == (404, "not-found")


async def test_what_is_not_there_is_404_with_its_name(interface: Interface) -> None:
    name = await written(interface)
    for path in (f"/policies/{name}/versions/9", f"/policies/{policy_id()}", f"/policies/{policy_id()}/versions"):
        assert kind_of(await interface.ask("GET", path)) == (404, "not-found")
    answer = await interface.ask("POST", f"/policies/{name}/activation", json={"version": 9}, headers={"If-Match": "*"})
    assert kind_of(answer) == (404, "not-found")
    assert f"{name}@9" in answer.json()["detail"]


async def test_the_audit_log_names_who_did_what_and_is_intact(interface: Interface) -> None:
    name = await written(interface)
    await activate(interface, name)
    entries = await interface.list_all("/audit", subject=f"policy/{name}")
    assert [entry["action"] for entry in entries] == ["policy.activated", "policy.version.written"]
    approver, actor = [f"key:{(await interface.key(role)).split('_')[1]}" for role in ("admin", "moderator")]
    assert [entry["actor"] for entry in entries] == [approver, actor]
    assert name in {entry["subject"].partition("/")[2] for entry in await interface.list_all("/audit", actor=actor)}
    report = (await interface.ask("GET", "/audit/verification", "auditor")).json()
    assert (report["intact"], report["findings"]) == (True, [])
    assert (await verify_audit_log(interface.rig.reader)).intact
