"""A sanctioned member asks for a person's look, once for each sanction, in the group or by a signed link."""

import pytest

from huiqun.contracts.moderation import CaseKind, CaseOutcome
from moderation.archive.model import RevisionKey
from moderation.cases.handlers.asking import AppealedError, NothingToAppealError, appeal_by_link
from moderation.cases.model import Moderator, OwnDecisionError, State
from tests.moderation.desk import ANNA, BAD, BO, DOUBTFUL, FINE, SHORT, Desk

UPHELD, REVERSED, RECLASSIFIED = CaseOutcome.UPHELD, CaseOutcome.REVERSED, CaseOutcome.RECLASSIFIED


async def test_a_sanctioned_member_appeals_in_the_group(desk: Desk) -> None:
    message_id = await desk.offend(1)
    await desk.say("申诉 我是在提醒大家这是骗局", reply_to="m-of-the-bot")
    [case] = await desk.cases()
    strike = (await desk.standing()).strike_of(message_id)
    assert strike is not None
    assert (case.kind, case.message_id, case.sanction_id) == (CaseKind.APPEAL, message_id, strike.sanction_id)
    assert (case.history[0].by, case.history[0].note) == ("u1", "申诉 我是在提醒大家这是骗局")


async def test_an_appeal_may_repeat_what_it_is_about_and_only_the_first_one(desk: Desk) -> None:
    await desk.offend(1)
    for strikes in (1, 2):
        await desk.say(f"申诉 我只是提醒大家，有人说{BAD}")
        assert len((await desk.standing()).strikes) == strikes
        desk.clock.moment += SHORT


async def test_each_sanction_is_appealed_against_once_and_the_reply_says_which(desk: Desk) -> None:
    first, second = await desk.offend(1), await desk.offend(1)
    for reply_to in (first, None, None, first):
        await desk.say("申诉", reply_to=reply_to)
        desk.clock.moment += SHORT
    assert [case.message_id for case in await desk.cases()] == [first, second]
    [case, _] = await desk.cases()
    await desk.decide(case.id, UPHELD)
    await desk.say("申诉", reply_to=first)
    assert [case.state for case in await desk.cases()] == [State.UPHELD, State.OPEN]


async def test_who_was_never_sanctioned_has_nothing_to_appeal(desk: Desk) -> None:
    await desk.say(FINE)
    await desk.say("申诉")
    await desk.say(DOUBTFUL)
    await desk.say("申诉")
    assert [case.kind for case in await desk.cases()] == [CaseKind.REVIEW]


@pytest.mark.parametrize(
    ("outcome", "category", "words"),
    [(UPHELD, None, "维持"), (REVERSED, None, "撤销"), (RECLASSIFIED, "ads", "广告推销")],
)
async def test_the_member_is_told_what_became_of_the_appeal(
    desk: Desk, outcome: CaseOutcome, category: str | None, words: str
) -> None:
    await desk.offend(1)
    await desk.say("申诉")
    [case] = await desk.cases()
    [heard] = await desk.actions(kind="send_private")
    assert "已收到" in heard["content"]
    await desk.decide(case.id, outcome, category=category)
    [_, word] = await desk.actions(kind="send_private")
    assert word["target"] == {"member_id": "u1"}
    assert words in word["content"]
    assert len((await desk.standing()).strikes) == (0 if outcome is REVERSED else 1)


async def test_an_appeal_that_succeeds_answers_the_proposal_to_remove_as_well(desk: Desk) -> None:
    message_id = await desk.offend(5)
    before = (await desk.standing()).strikes[:-1]
    await desk.say("申诉", reply_to=message_id)
    [appeal] = await desk.cases(kind="appeal")
    await desk.decide(appeal.id, REVERSED)
    assert (await desk.standing()).strikes == before
    assert {case.state for case in await desk.cases()} == {State.REVERSED}
    assert await desk.actions(kind="remove_member") == []


async def test_whoever_found_the_offence_does_not_decide_on_the_appeal_against_it(desk: Desk) -> None:
    await desk.say(DOUBTFUL)
    [review] = await desk.cases()
    await desk.decide(review.id, UPHELD, ANNA)
    await desk.say("申诉")
    [appeal] = await desk.cases(kind="appeal")
    for outcome in (UPHELD, REVERSED):
        with pytest.raises(OwnDecisionError):
            await desk.decide(appeal.id, outcome, ANNA)
    with pytest.raises(OwnDecisionError):
        await desk.claim(appeal.id, ANNA)
    await desk.claim(appeal.id, BO)
    assert (await desk.decide(appeal.id, REVERSED, BO)).state is State.REVERSED


async def test_whoever_approved_a_removal_does_not_decide_on_the_appeal_against_it(desk: Desk) -> None:
    await desk.offend(5)
    [proposal] = await desk.cases()
    await desk.decide(proposal.id, UPHELD, BO)
    await desk.say("申诉")
    [appeal] = await desk.cases(kind="appeal")
    with pytest.raises(OwnDecisionError):
        await desk.decide(appeal.id, UPHELD, BO)
    assert (await desk.decide(appeal.id, UPHELD, ANNA)).state is State.UPHELD


async def test_an_admin_may_decide_where_there_is_nobody_else_and_the_audit_log_says_so(desk: Desk) -> None:
    admin = Moderator(id="key:anna", name="Anna", admin=True)
    await desk.say(DOUBTFUL)
    [review] = await desk.cases()
    await desk.decide(review.id, UPHELD, admin)
    await desk.say("申诉")
    [appeal] = await desk.cases(kind="appeal")
    await desk.claim(appeal.id, admin)
    await desk.decide(appeal.id, REVERSED, admin)
    entries = await desk.inlet.database["audit_log"].find().sort("_id", 1).to_list(None)
    assert [entry["detail"].get("own_decision") for entry in entries] == [None, "yes"]
    [kept] = await desk.inlet.database["cases"].find({"kind": "appeal"}).to_list(None)
    assert kept["decision"]["by"] == {"id": "key:anna", "name": "Anna"}


async def test_an_appeal_that_another_decision_answers_is_answered_to_the_member(desk: Desk) -> None:
    message_id = await desk.offend(1)
    await desk.say("申诉", reply_to=message_id)
    await desk.say("举报", "u2", reply_to=message_id)
    [report] = await desk.cases(kind="report")
    await desk.decide(report.id, REVERSED)
    assert {case.state for case in await desk.cases()} == {State.REVERSED}
    [_, word] = await desk.actions(kind="send_private")
    assert (word["target"], "撤销" in word["content"]) == ({"member_id": "u1"}, True)


async def test_a_sanction_is_appealed_against_even_when_its_message_is_kept_no_longer(desk: Desk) -> None:
    message_id = await desk.offend(2)
    await desk.inlet.database["messages"].delete_one({"_id": str(RevisionKey(message_id, "g1", 0, "channel"))})
    [letter] = await desk.actions(kind="send_private")
    grant = desk.grant_in(letter)
    await desk.work(lambda work: appeal_by_link(work, grant, "误会"))
    [case] = await desk.cases()
    assert (case.kind, case.message_id, case.text) == (CaseKind.APPEAL, message_id, "")
    await desk.decide(case.id, REVERSED)
    assert (await desk.standing()).strike_of(message_id) is None
    assert await desk.inlet.database["examples"].count_documents({}) == 0


@pytest.mark.parametrize("words", ["申訴", "【申诉】我没有", "@群主\u2005申诉", "申 诉！", "＠群主 申诉"])
async def test_an_appeal_is_heard_in_whatever_spelling(desk: Desk, words: str) -> None:
    await desk.offend(1)
    await desk.say(words)
    assert [case.kind for case in await desk.cases()] == [CaseKind.APPEAL]


async def test_a_mute_and_a_removal_that_a_person_decides_come_with_a_link_too(desk: Desk) -> None:
    await desk.offend(1)
    await desk.say(DOUBTFUL)
    [review] = await desk.cases()
    await desk.decide(review.id, UPHELD)
    [letter] = await desk.actions(kind="send_private")
    assert desk.grant_in(letter).member_id == "u1"
    desk.clock.moment += SHORT
    await desk.offend(3)
    [proposal] = await desk.cases(kind="removal")
    await desk.decide(proposal.id, UPHELD)
    farewell = (await desk.actions(kind="send_private"))[-1]
    assert "移出群聊" in farewell["content"]
    grant = desk.grant_in(farewell)
    assert grant.sanction_id == proposal.sanction_id


async def test_a_mute_comes_with_a_link_that_appeals_against_it(desk: Desk) -> None:
    message_id = await desk.offend(2)
    [mute] = await desk.actions(kind="mute_member")
    assert "http" not in mute["content"]  # it may be said in the group, where everybody could use the link
    [letter] = await desk.actions(kind="send_private")
    grant = desk.grant_in(letter)
    await desk.work(lambda work: appeal_by_link(work, grant, "误会，我的电话是 13812345678"))
    [case] = await desk.cases()
    assert (case.kind, case.message_id, case.history[0].note) == (
        CaseKind.APPEAL,
        message_id,
        "误会，我的电话是 138****5678",
    )
    with pytest.raises(AppealedError):
        await desk.work(lambda work: appeal_by_link(work, grant, "再次"))
    await desk.decide(case.id, REVERSED)
    with pytest.raises(NothingToAppealError):
        await desk.work(lambda work: appeal_by_link(work, grant, "再次"))
