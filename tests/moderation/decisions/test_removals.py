"""A proposal to remove a member: approved, declined, decided once for all."""

from datetime import timedelta

import pytest

from huiqun.contracts.channel import ActionRequested
from huiqun.contracts.moderation import CaseOutcome
from moderation.cases.model import CaseState
from moderation.decisions.model import NoProposalError
from tests.moderation.rig import BO, DOUBTFUL, ModerationRig

UPHELD, DECLINED = CaseOutcome.UPHELD, CaseOutcome.DECLINED


async def test_a_removal_happens_only_when_approved_and_names_who_approved_it(rig: ModerationRig) -> None:
    await rig.offend(5)
    [case] = await rig.cases(kind="removal")
    await rig.decide(case.id, UPHELD, BO)
    [removal] = await rig.documents("actions", kind="remove_member")
    assert (removal["requested_by"], removal["target"]["member_id"]) == ("Bo", "u1")
    assert "Bo" in removal["content"]
    [case] = await rig.cases(kind="removal")
    assert case.decision is not None
    assert case.decision.action_id == removal["_id"]


async def test_a_removal_can_be_declined_and_the_offence_stays(rig: ModerationRig) -> None:
    await rig.offend(5)
    before = await rig.standing()
    [proposal] = await rig.cases()
    closed = await rig.decide(proposal.id, DECLINED, BO)
    assert closed.state is CaseState.DECLINED
    assert await rig.standing() == before
    assert await rig.documents("actions", kind="remove_member") == []
    [example] = await rig.database["examples"].find().to_list(None)
    assert example["label"] == "fraud"
    await rig.offend(1)
    assert [case.state for case in await rig.cases(kind="removal")] == [CaseState.DECLINED, CaseState.OPEN]


async def test_only_a_proposal_to_remove_somebody_can_be_declined(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    with pytest.raises(NoProposalError):
        await rig.decide(case.id, DECLINED)


@pytest.mark.parametrize("outcome", [UPHELD, DECLINED])
async def test_who_was_asked_to_look_at_a_removal_is_not_reminded_once_it_is_decided(
    rig: ModerationRig, outcome: CaseOutcome
) -> None:
    await rig.offend(5)
    [proposal] = await rig.cases()
    [asked] = await rig.documents("actions", _id=proposal.sanction_id)
    await rig.done(asked, by="staff-7")
    await rig.decide(proposal.id, outcome)
    for action in await rig.documents("actions", state="requested"):
        await rig.done(action)
    await rig.run_due(timedelta(hours=3))
    assert await rig.documents("actions", kind="notify_staff", _id={"$ne": asked["_id"]}) == []
    assert [event for event in rig.data_of(ActionRequested) if "提醒" in event.content] == []


async def test_one_removal_answers_all_proposals_about_the_member(rig: ModerationRig) -> None:
    await rig.offend(7)
    first, *others = await rig.cases(kind="removal")
    assert len(others) == 2
    await rig.decide(first.id, UPHELD)
    assert {case.state for case in await rig.cases(kind="removal")} == {CaseState.UPHELD}
    assert len(await rig.documents("actions", kind="remove_member")) == 1
