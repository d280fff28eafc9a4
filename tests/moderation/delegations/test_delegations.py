"""Delegated authority: for whom, for which groups, until when."""

from datetime import timedelta
from typing import Any

import pytest_asyncio

from tests.moderation.incidents.people import Caller
from tests.moderation.incidents.scenario import audited_actions, pending_task_kinds
from tests.moderation.rig import ModerationRig


@pytest_asyncio.fixture
async def deputy(rig: ModerationRig) -> Caller:
    """Somebody who may only read."""
    return Caller(await rig.http("viewer"))


async def grant_delegation(
    rig: ModerationRig, admin: Caller, deputy: Caller, *rights: str, groups: tuple[str, ...] = ("g1",), hours: float = 8
) -> str:
    body = {
        "principal_id": deputy.id,
        "rights": list(rights),
        "groups": list(groups),
        "until": (rig.clock.moment + timedelta(hours=hours)).isoformat(),
        "reason": "国庆值班",
    }
    return str((await admin.post("delegations", body, status=201))["id"])


def incident(*groups: str) -> dict[str, Any]:
    return {"kind": "leak", "groups": list(groups)}


async def test_a_deputy_handles_incidents_in_the_groups_that_were_named(
    rig: ModerationRig, admin: Caller, deputy: Caller
) -> None:
    await deputy.post("incidents", incident("g1"), status=403)
    delegation = await grant_delegation(rig, admin, deputy, "handle_incidents")
    opened = await deputy.post("incidents", incident("g1"), status=201)
    await deputy.post(f"incidents/{opened['id']}/steps/verify/completion", {})
    await deputy.post("incidents", incident("g1", "g2"), status=403)
    await deputy.put("groups/g1/mode", {"mode": "quiet"}, seen="*", status=403)
    entry = await rig.database["audit_log"].find_one({"action": "incident.opened"})
    assert entry is not None
    assert entry["detail"]["delegations"] == [delegation]


async def test_several_delegations_add_up(rig: ModerationRig, admin: Caller, deputy: Caller) -> None:
    await grant_delegation(rig, admin, deputy, "handle_incidents", "set_modes")
    await grant_delegation(rig, admin, deputy, "handle_incidents", groups=("g2",))
    await deputy.post("incidents", incident("g1", "g2"), status=201)
    await deputy.put("groups/g1/mode", {"mode": "quiet"}, seen="*")
    await deputy.put("groups/g2/mode", {"mode": "lockdown"}, seen="*", status=403)


async def test_it_is_over_at_its_end_and_the_audit_log_says_so(
    rig: ModerationRig, admin: Caller, deputy: Caller
) -> None:
    await grant_delegation(rig, admin, deputy, "set_modes", hours=2)
    await rig.run_due(timedelta(minutes=119))
    await deputy.put("groups/g1/mode", {"mode": "quiet"}, seen="*")
    await rig.run_due(timedelta(minutes=1))
    await deputy.put("groups/g1/mode", {"mode": "normal"}, seen="*", status=403)
    assert await audited_actions(rig) == ["delegation.granted", "group.mode.set", "delegation.expired"]


async def test_it_is_over_when_it_is_revoked(rig: ModerationRig, admin: Caller, deputy: Caller) -> None:
    delegation = await grant_delegation(rig, admin, deputy, "set_modes")
    revoked = await admin.post(f"delegations/{delegation}/revocation")
    assert (revoked["live"], revoked["revoked_by"]) == (False, admin.id)
    await deputy.put("groups/g1/mode", {"mode": "quiet"}, seen="*", status=403)
    again = await admin.post(f"delegations/{delegation}/revocation")
    assert again == revoked
    assert await pending_task_kinds(rig) == []
    await admin.post("delegations/nothing/revocation", status=404)


async def test_it_ends_in_the_future_and_within_a_month(rig: ModerationRig, admin: Caller, deputy: Caller) -> None:
    body = {"principal_id": deputy.id, "rights": ["set_modes"], "groups": ["g1"], "reason": "x"}
    for hours in (-1, 24 * 32):
        until = (rig.clock.moment + timedelta(hours=hours)).isoformat()
        await admin.post("delegations", {**body, "until": until}, status=422)


async def test_only_admins_delegate_and_everybody_who_reads_may_see_it(
    rig: ModerationRig, admin: Caller, moderator: Caller, auditor: Caller
) -> None:
    delegation = await grant_delegation(rig, admin, auditor, "set_modes")
    await moderator.post(f"delegations/{delegation}/revocation", status=403)
    assert (await auditor.get(f"delegations/{delegation}"))["live"] is True
    assert len((await auditor.get("delegations", principal_id=auditor.id))["items"]) == 1
    assert (await auditor.get("delegations", principal_id="key:other"))["items"] == []
    await auditor.get("delegations/nothing", status=404)
