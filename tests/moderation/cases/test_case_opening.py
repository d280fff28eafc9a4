"""What opens a case: a doubtful message, a proposal to remove somebody; once each, together with the message."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind, GroupDismissal, GroupDismissed
from huiqun.contracts.moderation import CaseKind, CaseOpened, CaseOutcome
from moderation.cases.model import State
from moderation.policies.model import ReviewRule, Rules
from tests.moderation.desk import ANNA, BAD, DOUBTFUL, FINE, OWNER, Desk


async def test_a_doubtful_message_opens_a_case_and_does_nothing_else(desk: Desk) -> None:
    message_id = await desk.say(DOUBTFUL)
    await desk.say(FINE)
    [case] = await desk.cases()
    assert (case.kind, case.state, case.message_id, case.member_id) == (CaseKind.REVIEW, State.OPEN, message_id, "u1")
    assert (case.category, case.severity, case.text) == ("rumour", 3, DOUBTFUL)
    assert case.due_at == desk.clock.moment + timedelta(minutes=240)
    [opened] = await desk.events(CaseOpened)
    assert (opened.case_id, opened.kind, opened.due_at) == (case.id, CaseKind.REVIEW, case.due_at)
    assert await desk.actions() == []


async def test_many_cases_of_one_batch_are_opened_together(desk: Desk) -> None:
    events = [desk.message(DOUBTFUL, f"u{number}") for number in range(50)]
    await desk.inlet.deliver(events)
    assert len(await desk.cases()) == len(await desk.events(CaseOpened)) == 50
    assert await desk.inlet.database["tasks"].count_documents({"kind": "case.overdue"}) == 50


async def test_a_delivery_repeated_opens_nothing_more(desk: Desk) -> None:
    event = desk.message(DOUBTFUL)
    for _ in range(3):
        await desk.inlet.deliver([event])
    assert len(await desk.cases()) == len(await desk.events(CaseOpened)) == 1


async def test_a_second_revision_joins_the_open_case_with_its_text(desk: Desk) -> None:
    message_id = await desk.say(DOUBTFUL)
    [before] = await desk.cases()
    await desk.edit(message_id, DOUBTFUL + "，快转发", revision=1)
    [case] = await desk.cases()
    assert (case.text, case.revision, case.opened_at) == (DOUBTFUL + "，快转发", 1, before.opened_at)
    assert case.version == before.version + 1
    assert len(await desk.events(CaseOpened)) == 1


async def test_a_later_revision_opens_a_decided_case_again(desk: Desk) -> None:
    message_id = await desk.say(DOUBTFUL)
    [case] = await desk.cases()
    await desk.decide(case.id, CaseOutcome.REVERSED)
    desk.clock.moment += timedelta(hours=1)
    await desk.edit(message_id, "真的，" + DOUBTFUL, revision=1)
    [again] = await desk.cases()
    assert (again.id, again.state, again.opened_at) == (case.id, State.OPEN, desk.clock.moment)
    assert [entry.what for entry in again.history] == ["opened", "reversed", "reopened"]
    assert again.decision is None
    assert len(await desk.events(CaseOpened)) == 2


async def test_a_proposed_removal_opens_a_case_of_its_own(desk: Desk) -> None:
    message_id = await desk.offend(5)
    [case] = await desk.cases()
    assert (case.kind, case.message_id, case.category, case.severity) == (CaseKind.REMOVAL, message_id, "fraud", 5)
    strike = (await desk.standing()).strike_of(message_id)
    assert strike is not None
    assert case.sanction_id == strike.sanction_id
    [task] = await desk.actions(_id=case.sanction_id)
    assert (task["kind"], task["assignee"]) == (ActionKind.NOTIFY_STAFF, OWNER)
    assert not await desk.actions(kind="remove_member")


async def test_the_owner_is_asked_once_when_the_response_target_has_passed(desk: Desk) -> None:
    await desk.say(DOUBTFUL)
    await desk.pass_time(timedelta(minutes=239))
    assert await desk.actions() == []
    await desk.pass_time(timedelta(minutes=2))
    [task] = await desk.actions()
    assert (task["kind"], task["assignee"]) == ("notify_staff", OWNER)
    assert not await desk.inlet.database["tasks"].count_documents({"kind": "case.overdue"})
    [case] = await desk.cases()
    assert case.overdue
    assert case.id in task["content"]


async def test_a_revision_that_has_to_be_decided_sooner_brings_the_reminder_forward(desk: Desk) -> None:
    message_id = await desk.say(DOUBTFUL)
    await desk.set_rules(Rules(review=ReviewRule(target_minutes=(60, 60, 60, 60, 60))))
    await desk.edit(message_id, DOUBTFUL + "，快转发", revision=1)
    await desk.pass_time(timedelta(minutes=61))
    [case] = await desk.cases()
    assert case.overdue
    assert len(await desk.actions(kind="notify_staff")) == 1
    await desk.pass_time(timedelta(minutes=240))
    assert len(await desk.actions(kind="notify_staff")) == 1


async def test_nobody_is_reminded_of_what_was_decided_in_time(desk: Desk) -> None:
    await desk.say(DOUBTFUL)
    [case] = await desk.cases()
    await desk.decide(case.id, CaseOutcome.REVERSED, ANNA)
    await desk.pass_time(timedelta(days=2))
    assert await desk.actions() == []


async def test_nobody_is_reminded_of_a_case_in_a_group_that_is_no_more(desk: Desk) -> None:
    await desk.say(DOUBTFUL)
    gone = GroupDismissed.about("g1", GroupDismissal(group_id="g1"), time=desk.clock.moment)
    await desk.inlet.deliver([gone])
    await desk.pass_time(timedelta(days=2))
    assert await desk.actions() == []
    assert [case.overdue for case in await desk.cases()] == [True]


async def test_what_is_clearly_bad_needs_no_case(desk: Desk) -> None:
    await desk.say(BAD)
    assert await desk.cases() == []
    assert [action["kind"] for action in await desk.actions()] == ["delete_message", "send_message"]
