"""An incident from its opening to its review."""

from datetime import timedelta
from typing import Any

from huiqun.contracts.channel import ActionKind
from huiqun.contracts.moderation import IncidentClosed, IncidentOpened, Verdict
from tests.moderation.incidents.scene import Caller, audited, create, judged, mode_of, pending
from tests.moderation.rig import ModerationRig

REVIEW = {"what_happened": "一名客户误发他人证件照片。", "cause": "未说明发送渠道。"}


async def opened(caller: Caller, kind: str = "attack", groups: tuple[str, ...] = ("g1",), **fields: Any) -> str:
    incident = await caller.post("incidents", {"kind": kind, "groups": list(groups), **fields}, status=201)
    return str(incident["id"])


async def finished(caller: Caller, incident: str, **review: Any) -> dict[str, Any]:
    await caller.post(f"incidents/{incident}/containment", seen="*")
    closed: dict[str, Any] = await caller.post(f"incidents/{incident}/closure", {**REVIEW, **review}, seen="*")
    return closed


async def whats(caller: Caller, incident: str) -> list[str]:
    return [entry["what"] for entry in (await caller.get(f"incidents/{incident}/timeline"))["items"]]


async def test_opening_sets_the_mode_announces_it_and_gives_out_the_steps(
    rig: ModerationRig, moderator: Caller
) -> None:
    await create(rig, "g1", "g2")
    incident = await opened(
        moderator, groups=("g1", "g2"), reason="大量广告，联系人 13812345678", owners={"审核员": "staff-9"}
    )
    assert (await judged(rig, "g1")).data.verdict is Verdict.BLOCK
    assert (await judged(rig, "g2")).data.verdict is Verdict.BLOCK
    posted = [action for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert [action.group_id for action in posted] == ["g1", "g2"]
    tasks = {action.assignee: action.content for action in rig.actions() if action.kind is ActionKind.NOTIFY_STAFF}
    assert set(tasks) == {"staff-1", "staff-9"}
    assert "确认攻击情况" in tasks["staff-1"]
    assert "补充词库和规则" in tasks["staff-9"]
    assert "13812345678" not in tasks["staff-1"]
    events = rig.data_of(IncidentOpened)
    assert [(event.group_id, event.drill, event.mode) for event in events] == [
        ("g1", False, "lockdown"),
        ("g2", False, "lockdown"),
    ]
    assert await whats(moderator, incident) == ["opened", "mode_changed", "assigned", "assigned"]


async def test_a_step_is_reminded_of_then_escalated_unless_it_is_done(rig: ModerationRig, moderator: Caller) -> None:
    await create(rig, "g1")
    incident = await opened(moderator, owners={"应急负责人": "staff-5"})
    await moderator.post(f"incidents/{incident}/steps/remove_accounts/completion", {"note": "已移出 3 人"})
    await rig.run_due(timedelta(minutes=6))
    timeline = (await moderator.get(f"incidents/{incident}/timeline"))["items"]
    due = [(entry["what"], entry["step"]) for entry in timeline if entry["what"] in ("reminded", "escalated")]
    assert due == [("reminded", "confirm"), ("escalated", "confirm")]
    last = rig.actions()[-1]
    assert (last.kind, last.assignee) == (ActionKind.NOTIFY_STAFF, "staff-5")
    assert "确认攻击情况" in last.content


async def test_after_downtime_an_overdue_step_is_escalated_without_a_reminder_that_is_too_late(
    rig: ModerationRig, moderator: Caller
) -> None:
    await create(rig, "g1")
    incident = await opened(moderator, "leak")
    rig.clock.moment += timedelta(minutes=12)
    await rig.run_due()
    timeline = (await moderator.get(f"incidents/{incident}/timeline"))["items"]
    late = [(entry["what"], entry["step"]) for entry in timeline if entry["what"] in ("reminded", "escalated")]
    assert late == [("escalated", "verify"), ("reminded", "remove_content")]


async def test_doing_a_step_sets_its_mode_and_sends_its_message(rig: ModerationRig, moderator: Caller) -> None:
    incident = await opened(moderator)
    done = await moderator.post(f"incidents/{incident}/steps/warn_members/completion", {"note": ""})
    assert done["mode"] == "quiet"
    assert (await judged(rig, "g1")).data.verdict is Verdict.WARN
    said = [action.content for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert len(said) == 3
    assert said[-1].startswith("【安全提示】刚才群内出现的链接")


async def test_a_message_may_be_worded_anew_or_left_out(rig: ModerationRig, moderator: Caller) -> None:
    incident = await opened(moderator, "complaint")
    await moderator.post(f"incidents/{incident}/steps/respond/completion", {"message": "我们正在了解情况。"})
    await moderator.post(f"incidents/{incident}/steps/announce/completion", {"message": ""})
    said = [action.content for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert said == ["我们正在了解情况。"]


async def test_a_step_is_done_once_and_only_if_the_plan_has_it(moderator: Caller) -> None:
    incident = await opened(moderator)
    path = f"incidents/{incident}/steps"
    await moderator.post(f"{path}/confirm/completion", {})
    assert (await moderator.post(f"{path}/confirm/completion", {}, status=409))["type"].endswith("step-done")
    await moderator.post(f"{path}/nothing/completion", {}, status=404)


async def test_it_goes_from_open_over_contained_to_closed_and_no_other_way(moderator: Caller) -> None:
    incident = await opened(moderator)
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


async def test_closing_lets_the_group_go_and_nothing_is_due_any_more(rig: ModerationRig, moderator: Caller) -> None:
    incident = await opened(moderator)
    closed = await finished(moderator, incident)
    assert closed["mode"] == "normal"
    assert (await judged(rig, "g1")).data.verdict is Verdict.ALLOW
    assert await pending(rig) == []
    (event,) = rig.data_of(IncidentClosed)
    assert (event.score, event.drill) == (0, False)
    assert (await whats(moderator, incident)).count("step_missed") == 6


async def test_a_group_stays_as_long_as_another_incident_holds_it(rig: ModerationRig, moderator: Caller) -> None:
    attack, leak = await opened(moderator), await opened(moderator, "leak")
    assert await mode_of(rig, "g1") == "lockdown"
    await finished(moderator, attack)
    assert await mode_of(rig, "g1") == "quiet"
    await finished(moderator, leak)
    assert await mode_of(rig, "g1") == "normal"
    said = [action.content for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert ["暂停成员发言" in said[0], "安静模式" in said[1], "恢复正常" in said[2]] == [True] * 3


async def test_a_mode_of_an_incident_ends_by_itself_while_the_incident_goes_on(
    rig: ModerationRig, moderator: Caller
) -> None:
    incident = await opened(moderator)
    await moderator.post(f"incidents/{incident}/mode", {"mode": "lockdown", "minutes": 3})
    await rig.run_due(timedelta(minutes=4))
    assert await mode_of(rig, "g1") == "normal"
    assert (await moderator.get(f"incidents/{incident}"))["state"] == "open"
    assert "mode_ended" in await whats(moderator, incident)


async def test_what_the_review_wants_to_change_becomes_a_draft_that_an_admin_may_activate(
    moderator: Caller, admin: Caller
) -> None:
    incident = await opened(moderator)
    changes = [{"key": "confirm", "due_minutes": 3}, {"key": "police", "remove": True}]
    await moderator.post(f"incidents/{incident}/containment", seen="*")
    await moderator.post(f"incidents/{incident}/closure", {**REVIEW, "step_changes": changes}, seen="*", status=422)
    review = {**REVIEW, "what_to_change": "更早确认。", "step_changes": changes[:1]}
    closed = await moderator.post(f"incidents/{incident}/closure", review, seen="*")
    assert closed["draft_version"] == 1
    draft = await admin.get("incident-plans/attack/versions/1")
    assert draft["incident_id"] == incident
    assert "更早确认" in draft["note"]
    assert draft["plan"]["steps"][0]["due_minutes"] == 3
    assert (await admin.get("incident-plans/attack"))["active"] == 0


async def test_a_review_that_changes_nothing_writes_no_draft(moderator: Caller) -> None:
    closed = await finished(moderator, await opened(moderator))
    assert closed["draft_version"] is None


async def test_incidents_are_found_by_state_group_kind_and_whether_they_are_drills(moderator: Caller) -> None:
    attack = await opened(moderator, groups=("g1", "g2"))
    leak = await opened(moderator, "leak", ("g2",), drill=True)
    await finished(moderator, leak)

    async def found(**query: Any) -> list[str]:
        return [incident["id"] for incident in (await moderator.get("incidents", **query))["items"]]

    assert await found() == [leak, attack]
    assert await found(state="open") == await found(kind="attack") == await found(drill="false") == [attack]
    assert await found(group_id="g2") == [leak, attack]
    assert await found(state="closed") == await found(drill="true") == [leak]


async def test_a_timeline_comes_in_pages_in_the_order_it_happened(rig: ModerationRig, moderator: Caller) -> None:
    incident = await opened(moderator)
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
    incident = await opened(moderator)
    await moderator.post(f"incidents/{incident}/steps/confirm/completion", {})
    await moderator.post(f"incidents/{incident}/mode", {"mode": "quiet"})
    await moderator.post(f"incidents/{incident}/timeline", {"text": "媒体来电。"}, status=201)
    await finished(moderator, incident)
    assert [action.removeprefix("incident.") for action in await audited(rig)] == [
        "opened",
        "step.done",
        "mode.set",
        "noted",
        "contained",
        "closed",
    ]


async def test_an_incident_is_opened_once_however_often_the_request_is_sent(moderator: Caller) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"kind": "leak", "groups": ["g1"]}
    first = await moderator.http.post("/api/v1/incidents", json=body, headers=headers)
    again = await moderator.http.post("/api/v1/incidents", json=body, headers=headers)
    assert first.json() == again.json()
    assert len((await moderator.get("incidents"))["items"]) == 1


async def test_readers_read_and_change_nothing(moderator: Caller, auditor: Caller) -> None:
    incident = await opened(moderator)
    await auditor.get(f"incidents/{incident}")
    await auditor.get(f"incidents/{incident}/report")
    await auditor.post("incidents", {"kind": "leak", "groups": ["g1"]}, status=403)
    await auditor.post(f"incidents/{incident}/steps/confirm/completion", {}, status=403)
    await auditor.post(f"incidents/{incident}/containment", seen="*", status=403)
    await auditor.get("incidents/nothing", status=404)
