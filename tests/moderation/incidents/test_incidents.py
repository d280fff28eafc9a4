"""An incident from open over contained to closed, its mode, its timeline, and who may do what."""

from datetime import timedelta
from typing import Any

from huiqun.contracts.channel import ActionKind
from tests.moderation.incidents.people import Caller
from tests.moderation.incidents.scenario import (
    REVIEW,
    audited_actions,
    close_incident,
    mode_in_screening,
    open_incident,
    timeline_kinds,
)
from tests.moderation.rig import ModerationRig


async def test_it_goes_from_open_over_contained_to_closed_and_no_other_way(moderator: Caller) -> None:
    incident = await open_incident(moderator)
    await moderator.post(f"incidents/{incident}/closure", REVIEW, seen="*", status=409)
    contained = await moderator.post(f"incidents/{incident}/containment", seen=2)
    assert contained["state"] == "contained"
    await moderator.post(f"incidents/{incident}/containment", seen="*", status=409)
    await moderator.post(f"incidents/{incident}/closure", REVIEW, seen=2, status=412)
    closed = await moderator.post(f"incidents/{incident}/closure", REVIEW, seen=contained["revision"])
    assert closed["state"] == "closed"
    for path, body in (("steps/confirm/completion", {}), ("mode", {"mode": "quiet"}), ("closure", REVIEW)):
        await moderator.post(f"incidents/{incident}/{path}", body, seen="*", status=409)
    await moderator.post(f"incidents/{incident}/timeline", {"text": "客户后来致谢。"}, status=201)


async def test_a_group_stays_as_long_as_another_incident_holds_it(rig: ModerationRig, moderator: Caller) -> None:
    attack, leak = await open_incident(moderator), await open_incident(moderator, "leak")
    assert await mode_in_screening(rig, "g1") == "lockdown"
    await close_incident(moderator, attack)
    assert await mode_in_screening(rig, "g1") == "quiet"
    await close_incident(moderator, leak)
    assert await mode_in_screening(rig, "g1") == "normal"
    said = [action.content for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert ["暂停成员发言" in said[0], "安静模式" in said[1], "恢复正常" in said[2]] == [True] * 3


async def test_a_mode_of_an_incident_ends_by_itself_while_the_incident_goes_on(
    rig: ModerationRig, moderator: Caller
) -> None:
    incident = await open_incident(moderator)
    await moderator.post(f"incidents/{incident}/mode", {"mode": "lockdown", "minutes": 3})
    await rig.run_due(timedelta(minutes=4))
    assert await mode_in_screening(rig, "g1") == "normal"
    assert (await moderator.get(f"incidents/{incident}"))["state"] == "open"
    assert "mode_ended" in await timeline_kinds(moderator, incident)


async def test_incidents_are_found_by_state_group_kind_and_whether_they_are_drills(moderator: Caller) -> None:
    attack = await open_incident(moderator, groups=("g1", "g2"))
    leak = await open_incident(moderator, "leak", ("g2",), drill=True)
    await close_incident(moderator, leak)

    async def found(**query: Any) -> list[str]:
        return [incident["id"] for incident in (await moderator.get("incidents", **query))["items"]]

    assert await found() == [leak, attack]
    assert await found(state="open") == await found(kind="attack") == await found(drill="false") == [attack]
    assert await found(group_id="g2") == [leak, attack]
    assert await found(state="closed") == await found(drill="true") == [leak]


async def test_a_timeline_comes_in_pages_in_the_order_it_happened(rig: ModerationRig, moderator: Caller) -> None:
    incident = await open_incident(moderator)
    await rig.run_due(timedelta(minutes=20))
    everything = (await moderator.get(f"incidents/{incident}/timeline"))["items"]
    paged: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await moderator.get(f"incidents/{incident}/timeline", limit=2, **cursor)
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == everything
    assert [entry["at"] for entry in paged] == sorted(entry["at"] for entry in paged)


async def test_every_act_of_a_person_stands_in_the_audit_log(rig: ModerationRig, moderator: Caller) -> None:
    incident = await open_incident(moderator)
    await moderator.post(f"incidents/{incident}/steps/confirm/completion", {})
    await moderator.post(f"incidents/{incident}/mode", {"mode": "quiet"})
    await moderator.post(f"incidents/{incident}/timeline", {"text": "媒体来电。"}, status=201)
    await close_incident(moderator, incident)
    assert [action.removeprefix("incident.") for action in await audited_actions(rig)] == [
        "opened",
        "step.done",
        "mode.set",
        "noted",
        "contained",
        "closed",
    ]


async def test_readers_read_and_change_nothing(moderator: Caller, auditor: Caller) -> None:
    incident = await open_incident(moderator)
    await auditor.get(f"incidents/{incident}")
    await auditor.get(f"incidents/{incident}/report")
    await auditor.post("incidents", {"kind": "leak", "groups": ["g1"]}, status=403)
    await auditor.post(f"incidents/{incident}/steps/confirm/completion", {}, status=403)
    await auditor.post(f"incidents/{incident}/containment", seen="*", status=403)
    await auditor.get("incidents/nothing", status=404)
