"""What the opening of an incident sets in motion."""

from huiqun.contracts.channel import ActionKind
from huiqun.contracts.moderation import IncidentOpened, Verdict
from tests.moderation.incidents.people import Caller
from tests.moderation.incidents.scenario import create_groups, judge_message, open_incident, timeline_kinds
from tests.moderation.rig import ModerationRig


async def test_opening_sets_the_mode_announces_it_and_gives_out_the_steps(
    rig: ModerationRig, moderator: Caller
) -> None:
    await create_groups(rig, "g1", "g2")
    incident = await open_incident(
        moderator, groups=("g1", "g2"), reason="大量广告，联系人 13812345678", owners={"审核员": "staff-9"}
    )
    assert (await judge_message(rig, "g1")).data.verdict is Verdict.BLOCK
    assert (await judge_message(rig, "g2")).data.verdict is Verdict.BLOCK
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
    assert await timeline_kinds(moderator, incident) == ["opened", "mode_changed", "assigned", "assigned"]


async def test_an_incident_is_opened_once_however_often_the_request_is_sent(moderator: Caller) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"kind": "leak", "groups": ["g1"]}
    first = await moderator.http.post("/api/v1/incidents", json=body, headers=headers)
    again = await moderator.http.post("/api/v1/incidents", json=body, headers=headers)
    assert first.json() == again.json()
    assert len((await moderator.get("incidents"))["items"]) == 1
