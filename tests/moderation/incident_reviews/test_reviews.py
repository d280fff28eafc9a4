"""Closing an incident with a review."""

from huiqun.contracts.moderation import IncidentClosed, Verdict
from tests.moderation.incidents.people import Caller
from tests.moderation.incidents.scenario import (
    REVIEW,
    close_incident,
    judge_message,
    open_incident,
    pending_task_kinds,
    timeline_kinds,
)
from tests.moderation.rig import ModerationRig


async def test_closing_lets_the_group_go_and_nothing_is_due_any_more(rig: ModerationRig, moderator: Caller) -> None:
    incident = await open_incident(moderator)
    closed = await close_incident(moderator, incident)
    assert closed["mode"] == "normal"
    assert (await judge_message(rig, "g1")).data.verdict is Verdict.ALLOW
    assert await pending_task_kinds(rig) == []
    (event,) = rig.data_of(IncidentClosed)
    assert (event.score, event.drill) == (0, False)
    assert (await timeline_kinds(moderator, incident)).count("step_missed") == 6


async def test_what_the_review_wants_to_change_becomes_a_draft_that_an_admin_may_activate(
    moderator: Caller, admin: Caller
) -> None:
    incident = await open_incident(moderator)
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
    closed = await close_incident(moderator, await open_incident(moderator))
    assert closed["draft_version"] is None
