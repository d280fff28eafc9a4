"""What opens a case: a doubtful message, a proposal to remove somebody; once each, together with the message."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind, GroupDismissal, GroupDismissed
from huiqun.contracts.moderation import CaseKind, CaseOpened, CaseOutcome
from moderation.cases.model import State
from moderation.policies.model import ReviewRule, Rules
from tests.moderation.rig import ANNA, BAD, DOUBTFUL, FINE, OWNER, ModerationRig


async def test_a_doubtful_message_opens_a_case_and_does_nothing_else(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL)
    await rig.say(FINE)
    [case] = await rig.cases()
    assert (case.kind, case.state, case.message_id, case.member_id) == (CaseKind.REVIEW, State.OPEN, message_id, "u1")
    assert (case.category, case.severity, case.text) == ("rumour", 3, DOUBTFUL)
    assert case.due_at == rig.clock.moment + timedelta(minutes=240)
    [opened] = rig.data_of(CaseOpened)
    assert (opened.case_id, opened.kind, opened.due_at) == (case.id, CaseKind.REVIEW, case.due_at)
    assert await rig.documents("actions") == []


async def test_many_cases_of_one_batch_are_opened_together(rig: ModerationRig) -> None:
    events = [rig.message(DOUBTFUL, f"u{number}") for number in range(50)]
    await rig.deliver(*events)
    assert len(await rig.cases()) == len(rig.data_of(CaseOpened)) == 50
    assert await rig.database["tasks"].count_documents({"kind": "case.overdue"}) == 50


async def test_a_delivery_repeated_opens_nothing_more(rig: ModerationRig) -> None:
    event = rig.message(DOUBTFUL)
    for _ in range(3):
        await rig.deliver(event)
    assert len(await rig.cases()) == len(rig.data_of(CaseOpened)) == 1


async def test_a_second_revision_joins_the_open_case_with_its_text(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL)
    [before] = await rig.cases()
    await rig.edit(message_id, DOUBTFUL + "，快转发", revision=1)
    [case] = await rig.cases()
    assert (case.text, case.revision, case.opened_at) == (DOUBTFUL + "，快转发", 1, before.opened_at)
    assert case.version == before.version + 1
    assert len(rig.data_of(CaseOpened)) == 1


async def test_a_later_revision_opens_a_decided_case_again(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    await rig.decide(case.id, CaseOutcome.REVERSED)
    rig.clock.moment += timedelta(hours=1)
    await rig.edit(message_id, "真的，" + DOUBTFUL, revision=1)
    [again] = await rig.cases()
    assert (again.id, again.state, again.opened_at) == (case.id, State.OPEN, rig.clock.moment)
    assert [entry.what for entry in again.history] == ["opened", "reversed", "reopened"]
    assert again.decision is None
    assert len(rig.data_of(CaseOpened)) == 2


async def test_a_proposed_removal_opens_a_case_of_its_own(rig: ModerationRig) -> None:
    message_id = await rig.offend(5)
    [case] = await rig.cases()
    assert (case.kind, case.message_id, case.category, case.severity) == (CaseKind.REMOVAL, message_id, "fraud", 5)
    strike = (await rig.standing()).strike_of(message_id)
    assert strike is not None
    assert case.sanction_id == strike.sanction_id
    [task] = await rig.documents("actions", _id=case.sanction_id)
    assert (task["kind"], task["assignee"]) == (ActionKind.NOTIFY_STAFF, OWNER)
    assert not await rig.documents("actions", kind="remove_member")


async def test_the_owner_is_asked_once_when_the_response_target_has_passed(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    await rig.run_due(timedelta(minutes=239))
    assert await rig.documents("actions") == []
    await rig.run_due(timedelta(minutes=2))
    [task] = await rig.documents("actions")
    assert (task["kind"], task["assignee"]) == ("notify_staff", OWNER)
    assert not await rig.database["tasks"].count_documents({"kind": "case.overdue"})
    [case] = await rig.cases()
    assert case.overdue
    assert case.id in task["content"]


async def test_a_revision_that_has_to_be_decided_sooner_brings_the_reminder_forward(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL)
    await rig.set_rules(Rules(review=ReviewRule(target_minutes=(60, 60, 60, 60, 60))))
    await rig.edit(message_id, DOUBTFUL + "，快转发", revision=1)
    rig.follows_actions = True
    await rig.run_due(timedelta(minutes=61))
    [case] = await rig.cases()
    assert case.overdue
    assert len(await rig.documents("actions", kind="notify_staff")) == 1
    await rig.run_due(timedelta(minutes=240))
    assert len(await rig.documents("actions", kind="notify_staff")) == 1


async def test_nobody_is_reminded_of_what_was_decided_in_time(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    await rig.decide(case.id, CaseOutcome.REVERSED, ANNA)
    await rig.run_due(timedelta(days=2))
    assert await rig.documents("actions") == []


async def test_nobody_is_reminded_of_a_case_in_a_group_that_is_no_more(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    gone = GroupDismissed.create("g1", GroupDismissal(group_id="g1"), time=rig.clock.moment)
    await rig.deliver(gone)
    await rig.run_due(timedelta(days=2))
    assert await rig.documents("actions") == []
    assert [case.overdue for case in await rig.cases()] == [True]


async def test_what_is_clearly_bad_needs_no_case(rig: ModerationRig) -> None:
    await rig.say(BAD)
    assert await rig.cases() == []
    assert [action["kind"] for action in await rig.documents("actions")] == ["delete_message", "send_message"]
