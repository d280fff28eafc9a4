"""A proposal to remove a member: approved, declined, decided once for all."""

from datetime import timedelta

import pytest

from huiqun.contracts.channel import ActionRequested
from huiqun.contracts.moderation import CaseOutcome
from moderation.cases.handlers.following import NoProposalError
from moderation.cases.model import State
from tests.moderation.desk import BO, DOUBTFUL, Desk

UPHELD, DECLINED = CaseOutcome.UPHELD, CaseOutcome.DECLINED


async def test_a_removal_happens_only_when_approved_and_names_who_approved_it(desk: Desk) -> None:
    await desk.offend(5)
    [case] = await desk.cases(kind="removal")
    await desk.decide(case.id, UPHELD, BO)
    [removal] = await desk.actions(kind="remove_member")
    assert (removal["requested_by"], removal["target"]["member_id"]) == ("Bo", "u1")
    assert "Bo" in removal["content"]
    [case] = await desk.cases(kind="removal")
    assert case.decision is not None
    assert case.decision.action_id == removal["_id"]


async def test_a_removal_can_be_declined_and_the_offence_stays(desk: Desk) -> None:
    await desk.offend(5)
    before = await desk.standing()
    [proposal] = await desk.cases()
    closed = await desk.decide(proposal.id, DECLINED, BO)
    assert closed.state is State.DECLINED
    assert await desk.standing() == before
    assert await desk.actions(kind="remove_member") == []
    [example] = await desk.inlet.database["examples"].find().to_list(None)
    assert example["label"] == "fraud"
    await desk.offend(1)
    assert [case.state for case in await desk.cases(kind="removal")] == [State.DECLINED, State.OPEN]


async def test_only_a_proposal_to_remove_somebody_can_be_declined(desk: Desk) -> None:
    await desk.say(DOUBTFUL)
    [case] = await desk.cases()
    with pytest.raises(NoProposalError):
        await desk.decide(case.id, DECLINED)


@pytest.mark.parametrize("outcome", [UPHELD, DECLINED])
async def test_who_was_asked_to_look_at_a_removal_is_not_reminded_once_it_is_decided(
    desk: Desk, outcome: CaseOutcome
) -> None:
    await desk.offend(5)
    [proposal] = await desk.cases()
    [asked] = await desk.actions(_id=proposal.sanction_id)
    await desk.done(asked, by="staff-7")
    await desk.decide(proposal.id, outcome)
    for action in await desk.actions(state="requested"):
        await desk.done(action)
    await desk.pass_time(timedelta(hours=3))
    assert await desk.actions(kind="notify_staff", _id={"$ne": asked["_id"]}) == []
    assert [event for event in await desk.events(ActionRequested) if "提醒" in event.content] == []


async def test_one_removal_answers_all_proposals_about_the_member(desk: Desk) -> None:
    await desk.offend(7)
    first, *others = await desk.cases(kind="removal")
    assert len(others) == 2
    await desk.decide(first.id, UPHELD)
    assert {case.state for case in await desk.cases(kind="removal")} == {State.UPHELD}
    assert len(await desk.actions(kind="remove_member")) == 1
