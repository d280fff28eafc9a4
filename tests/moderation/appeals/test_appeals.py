"""A sanctioned member asks for a person's look, once for each sanction, in the group or by a signed link."""

import pytest

from huiqun.contracts.moderation import CaseKind, CaseOutcome
from moderation.appeals.handlers import appeal_by_link
from moderation.appeals.model import AppealedError, NothingToAppealError
from moderation.archive.model import RevisionKey
from moderation.cases.model import CaseState, Moderator
from moderation.casework.model import OwnDecisionError
from tests.moderation.rig import ANNA, BAD, BO, DOUBTFUL, FINE, SHORT, ModerationRig

UPHELD, REVERSED, RECLASSIFIED = CaseOutcome.UPHELD, CaseOutcome.REVERSED, CaseOutcome.RECLASSIFIED


async def test_a_sanctioned_member_appeals_in_the_group(rig: ModerationRig) -> None:
    message_id = await rig.offend(1)
    await rig.say("申诉 我是在提醒大家这是骗局", reply_to="m-of-the-bot")
    [case] = await rig.cases()
    strike = (await rig.standing()).find_strike(message_id)
    assert strike is not None
    assert (case.kind, case.message_id, case.sanction_id) == (CaseKind.APPEAL, message_id, strike.sanction_id)
    assert (case.history[0].by, case.history[0].note) == ("u1", "申诉 我是在提醒大家这是骗局")


async def test_an_appeal_may_repeat_what_it_is_about_and_only_the_first_one(rig: ModerationRig) -> None:
    await rig.offend(1)
    for strikes in (1, 2):
        await rig.say(f"申诉 我只是提醒大家，有人说{BAD}")
        assert len((await rig.standing()).strikes) == strikes
        rig.clock.moment += SHORT


async def test_each_sanction_is_appealed_against_once_and_the_reply_says_which(rig: ModerationRig) -> None:
    first, second = await rig.offend(1), await rig.offend(1)
    for reply_to in (first, None, None, first):
        await rig.say("申诉", reply_to=reply_to)
        rig.clock.moment += SHORT
    assert [case.message_id for case in await rig.cases()] == [first, second]
    [case, _] = await rig.cases()
    await rig.decide(case.id, UPHELD)
    await rig.say("申诉", reply_to=first)
    assert [case.state for case in await rig.cases()] == [CaseState.UPHELD, CaseState.OPEN]


async def test_who_was_never_sanctioned_has_nothing_to_appeal(rig: ModerationRig) -> None:
    await rig.say(FINE)
    await rig.say("申诉")
    await rig.say(DOUBTFUL)
    await rig.say("申诉")
    assert [case.kind for case in await rig.cases()] == [CaseKind.REVIEW]


@pytest.mark.parametrize(
    ("outcome", "category", "words"),
    [(UPHELD, None, "维持"), (REVERSED, None, "撤销"), (RECLASSIFIED, "ads", "广告推销")],
)
async def test_the_member_is_told_what_became_of_the_appeal(
    rig: ModerationRig, outcome: CaseOutcome, category: str | None, words: str
) -> None:
    await rig.offend(1)
    await rig.say("申诉")
    [case] = await rig.cases()
    [heard] = await rig.documents("actions", kind="send_private")
    assert "已收到" in heard["content"]
    await rig.decide(case.id, outcome, category=category)
    [_, word] = await rig.documents("actions", kind="send_private")
    assert word["target"] == {"member_id": "u1"}
    assert words in word["content"]
    assert len((await rig.standing()).strikes) == (0 if outcome is REVERSED else 1)


async def test_an_appeal_that_succeeds_answers_the_proposal_to_remove_as_well(rig: ModerationRig) -> None:
    message_id = await rig.offend(5)
    before = (await rig.standing()).strikes[:-1]
    await rig.say("申诉", reply_to=message_id)
    [appeal] = await rig.cases(kind="appeal")
    await rig.decide(appeal.id, REVERSED)
    assert (await rig.standing()).strikes == before
    assert {case.state for case in await rig.cases()} == {CaseState.REVERSED}
    assert await rig.documents("actions", kind="remove_member") == []


async def test_whoever_found_the_offence_does_not_decide_on_the_appeal_against_it(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [review] = await rig.cases()
    await rig.decide(review.id, UPHELD, ANNA)
    await rig.say("申诉")
    [appeal] = await rig.cases(kind="appeal")
    for outcome in (UPHELD, REVERSED):
        with pytest.raises(OwnDecisionError):
            await rig.decide(appeal.id, outcome, ANNA)
    with pytest.raises(OwnDecisionError):
        await rig.claim(appeal.id, ANNA)
    await rig.claim(appeal.id, BO)
    assert (await rig.decide(appeal.id, REVERSED, BO)).state is CaseState.REVERSED


async def test_whoever_approved_a_removal_does_not_decide_on_the_appeal_against_it(rig: ModerationRig) -> None:
    await rig.offend(5)
    [proposal] = await rig.cases()
    await rig.decide(proposal.id, UPHELD, BO)
    await rig.say("申诉")
    [appeal] = await rig.cases(kind="appeal")
    with pytest.raises(OwnDecisionError):
        await rig.decide(appeal.id, UPHELD, BO)
    assert (await rig.decide(appeal.id, UPHELD, ANNA)).state is CaseState.UPHELD


async def test_an_admin_may_decide_where_there_is_nobody_else_and_the_audit_log_says_so(rig: ModerationRig) -> None:
    admin = Moderator(id="key:anna", name="Anna", admin=True)
    await rig.say(DOUBTFUL)
    [review] = await rig.cases()
    await rig.decide(review.id, UPHELD, admin)
    await rig.say("申诉")
    [appeal] = await rig.cases(kind="appeal")
    await rig.claim(appeal.id, admin)
    await rig.decide(appeal.id, REVERSED, admin)
    entries = await rig.database["audit_log"].find().sort("_id", 1).to_list(None)
    assert [entry["detail"].get("own_decision") for entry in entries] == [None, "yes"]
    [kept] = await rig.database["cases"].find({"kind": "appeal"}).to_list(None)
    assert kept["decision"]["by"] == {"id": "key:anna", "name": "Anna"}


async def test_an_appeal_that_another_decision_answers_is_answered_to_the_member(rig: ModerationRig) -> None:
    message_id = await rig.offend(1)
    await rig.say("申诉", reply_to=message_id)
    await rig.say("举报", "u2", reply_to=message_id)
    [report] = await rig.cases(kind="report")
    await rig.decide(report.id, REVERSED)
    assert {case.state for case in await rig.cases()} == {CaseState.REVERSED}
    [_, word] = await rig.documents("actions", kind="send_private")
    assert (word["target"], "撤销" in word["content"]) == ({"member_id": "u1"}, True)


async def test_a_sanction_is_appealed_against_even_when_its_message_is_kept_no_longer(rig: ModerationRig) -> None:
    message_id = await rig.offend(2)
    await rig.database["messages"].delete_one({"_id": str(RevisionKey(message_id, "g1", 0, "channel"))})
    [letter] = await rig.documents("actions", kind="send_private")
    grant = rig.grant_in(letter)
    await rig.run(lambda work: appeal_by_link(work, grant, "误会"))
    [case] = await rig.cases()
    assert (case.kind, case.message_id, case.text) == (CaseKind.APPEAL, message_id, "")
    await rig.decide(case.id, REVERSED)
    assert (await rig.standing()).find_strike(message_id) is None
    assert await rig.database["examples"].count_documents({}) == 0


@pytest.mark.parametrize("words", ["申訴", "【申诉】我没有", "@群主\u2005申诉", "申 诉！", "＠群主 申诉"])
async def test_an_appeal_is_heard_in_whatever_spelling(rig: ModerationRig, words: str) -> None:
    await rig.offend(1)
    await rig.say(words)
    assert [case.kind for case in await rig.cases()] == [CaseKind.APPEAL]


async def test_a_mute_and_a_removal_that_a_person_decides_come_with_a_link_too(rig: ModerationRig) -> None:
    await rig.offend(1)
    await rig.say(DOUBTFUL)
    [review] = await rig.cases()
    await rig.decide(review.id, UPHELD)
    [letter] = await rig.documents("actions", kind="send_private")
    assert rig.grant_in(letter).member_id == "u1"
    rig.clock.moment += SHORT
    await rig.offend(3)
    [proposal] = await rig.cases(kind="removal")
    await rig.decide(proposal.id, UPHELD)
    farewell = (await rig.documents("actions", kind="send_private"))[-1]
    assert "移出群聊" in farewell["content"]
    grant = rig.grant_in(farewell)
    assert grant.sanction_id == proposal.sanction_id


async def test_a_mute_comes_with_a_link_that_appeals_against_it(rig: ModerationRig) -> None:
    message_id = await rig.offend(2)
    [mute] = await rig.documents("actions", kind="mute_member")
    assert "http" not in mute["content"]  # it may be said in the group, where everybody could use the link
    [letter] = await rig.documents("actions", kind="send_private")
    grant = rig.grant_in(letter)
    await rig.run(lambda work: appeal_by_link(work, grant, "误会，我的电话是 13812345678"))
    [case] = await rig.cases()
    assert (case.kind, case.message_id, case.history[0].note) == (
        CaseKind.APPEAL,
        message_id,
        "误会，我的电话是 138****5678",
    )
    with pytest.raises(AppealedError):
        await rig.run(lambda work: appeal_by_link(work, grant, "再次"))
    await rig.decide(case.id, REVERSED)
    with pytest.raises(NothingToAppealError):
        await rig.run(lambda work: appeal_by_link(work, grant, "再次"))
