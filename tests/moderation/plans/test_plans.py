"""Plans as versioned data: those that come with Huiqun, and those that operators write."""

from typing import Any

import pytest

from huiqun.contracts.moderation import GroupMode
from moderation.plans.model import IncidentPlan, InvalidStepChangeError, PlanStep, PlanStepChange, apply_step_changes
from moderation.plans.store import list_shipped_plans
from tests.moderation.incidents.people import Caller
from tests.moderation.incidents.scenario import audited_actions
from tests.moderation.rig import ModerationRig


def step(key: str, due: int = 10, **fields: Any) -> PlanStep:
    return PlanStep(key=key, title=key, owner_role="群主", due_minutes=due, **fields)


PLAN = IncidentPlan(title="停电", steps=(step("one"), step("two", 20)))


def body(**fields: Any) -> dict[str, Any]:
    return {"plan": {**PLAN.model_dump(mode="json"), **fields}, "note": "x"}


def test_a_plan_comes_for_each_kind_of_crisis() -> None:
    plans = list_shipped_plans()
    assert list(plans) == ["attack", "bad_press", "complaint", "leak"]
    assert plans["attack"].mode is GroupMode.LOCKDOWN
    for plan in plans.values():
        assert len(plan.steps) >= 5
        assert [each.due_minutes for each in plan.steps] == sorted(each.due_minutes for each in plan.steps)


def test_a_review_changes_adds_and_takes_out_steps() -> None:
    changes = [
        PlanStepChange(key="one", due_minutes=5),
        PlanStepChange(key="two", remove=True),
        PlanStepChange(key="three", title="备用电源", owner_role="保安", due_minutes=30),
    ]
    changed = apply_step_changes(PLAN, changes)
    assert [(each.key, each.due_minutes) for each in changed.steps] == [("one", 5), ("three", 30)]
    assert changed.steps[0].title == "one"


@pytest.mark.parametrize(
    "changes",
    [
        [PlanStepChange(key="nine", remove=True)],
        [PlanStepChange(key="nine", title="x")],
        [PlanStepChange(key="one", remove=True), PlanStepChange(key="two", remove=True)],
        [PlanStepChange(key=f"n{n}", title="x", owner_role="x", due_minutes=1) for n in range(49)],
    ],
)
def test_changes_that_do_not_fit_the_plan_are_refused(changes: list[PlanStepChange]) -> None:
    with pytest.raises(InvalidStepChangeError):
        apply_step_changes(PLAN, changes)


async def test_what_an_admin_activates_is_what_the_next_incident_follows(
    rig: ModerationRig, admin: Caller, approver: Caller, moderator: Caller
) -> None:
    before = await admin.get("incident-plans/leak")
    assert (before["active"], before["latest"], before["revision"]) == (0, 0, 0)
    await admin.post("incident-plans/leak/versions", body(), status=201)
    assert (await admin.get("incident-plans/leak"))["active"] == 0
    head = await admin.get("incident-plans/leak")
    await admin.post("incident-plans/leak/activation", {"version": 1}, seen=head["revision"], status=403)
    await approver.post("incident-plans/leak/activation", {"version": 1}, seen=head["revision"])
    opened = await moderator.post("incidents", {"kind": "leak", "groups": ["g1"]}, status=201)
    assert (opened["title"], opened["plan_version"]) == ("停电", 1)
    assert [each["key"] for each in opened["steps"]] == ["one", "two"]
    head = await admin.get("incident-plans/leak")
    await admin.post("incident-plans/leak/activation", {"version": 0}, seen=head["revision"], status=422)
    back = {"version": 0, "reason": "too short"}
    await admin.post("incident-plans/leak/activation", back, seen=head["revision"])
    assert (await admin.get("incident-plans/leak"))["plan"]["title"] == "客户信息泄露"
    versions = (await admin.get("incident-plans/leak/versions"))["items"]
    assert [version["version"] for version in versions] == [1, 0]
    assert await audited_actions(rig) == [
        "incident_plan.version.written",
        "incident_plan.activated",
        "incident.opened",
        "incident_plan.activated",
    ]


async def test_operators_add_kinds_of_their_own(admin: Caller, approver: Caller) -> None:
    await admin.get("incident-plans/blackout", status=404)
    await admin.post("incident-plans/blackout/versions", body(), status=201)
    await admin.post("incidents", {"kind": "blackout", "groups": ["g1"]}, status=409)
    await approver.post("incident-plans/blackout/activation", {"version": 1}, seen="*")
    await admin.post("incidents", {"kind": "blackout", "groups": ["g1"]}, status=201)
    kinds = [plan["kind"] for plan in (await admin.get("incident-plans"))["items"]]
    assert kinds == ["attack", "bad_press", "blackout", "complaint", "leak"]


async def test_a_plan_is_edited_compared_step_by_step_and_approved(admin: Caller, approver: Caller) -> None:
    await admin.post("incident-plans/blackout/versions", body(), status=201)
    steps = [step("one", 5).model_dump(mode="json"), step("three", 30).model_dump(mode="json")]
    path = "incident-plans/blackout/versions/1"
    edited = await admin.put(path, body(steps=steps), seen="*")
    await admin.post("incident-plans/blackout/versions", body(), status=201)
    found = await admin.get("incident-plans/blackout/versions/2/diff", against=1)
    paths = {(each["path"], each["old"], each["new"]) for each in found["differences"] if "title" in each["path"]}
    assert paths == {("steps/three/title", "three", None), ("steps/two/title", None, "two")}
    await admin.post(f"{path}/submission")
    await approver.post(f"{path}/approval", {"content_hash": edited["content_hash"]})
    await admin.post("incident-plans/blackout/activation", {"version": 1}, seen="*")
    await admin.put(path, body(), seen="*", status=409)


async def test_kinds_come_in_pages(admin: Caller) -> None:
    first = await admin.get("incident-plans", limit=3)
    second = await admin.get("incident-plans", limit=3, cursor=first["next_cursor"])
    assert [plan["kind"] for plan in first["items"] + second["items"]] == list(list_shipped_plans())


async def test_whoever_has_not_seen_the_latest_head_is_refused(admin: Caller) -> None:
    await admin.post("incident-plans/leak/versions", body(), status=201)
    await admin.post("incident-plans/leak/activation", {"version": 1}, seen=0, status=412)
    await admin.post("incident-plans/leak/activation", {"version": 7}, seen="*", status=404)


@pytest.mark.parametrize(
    "fields",
    [
        {"steps": []},
        {"steps": [step("one").model_dump(mode="json")] * 2},
        {"title": " "},
        {"mode": "panic"},
        {"unknown": 1},
        {"trigger": {"blocks": 1, "minutes": 10}},
    ],
)
async def test_a_plan_that_makes_no_sense_is_refused(admin: Caller, fields: dict[str, Any]) -> None:
    await admin.post("incident-plans/leak/versions", body(**fields), status=422)


async def test_only_admins_write_plans(moderator: Caller, auditor: Caller) -> None:
    for caller in (moderator, auditor):
        await caller.get("incident-plans/leak")
        await caller.post("incident-plans/leak/versions", body(), status=403)
        await caller.post("incident-plans/leak/activation", {"version": 0}, seen="*", status=403)
