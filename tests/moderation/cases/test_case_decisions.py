"""What follows from a decision: enforcement, removal, a reversal of everything together, a corrected reason."""

import asyncio
from datetime import timedelta

import pytest

from huiqun.audit import verify_audit_log
from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import (
    CaseClosed,
    CaseKind,
    CaseOutcome,
    LiftedSanction,
    MemberSanctioned,
    SanctionKind,
    SanctionLifted,
)
from moderation.cases.handlers.deciding import SameCategoryError, decide
from moderation.cases.handlers.following import Ruling
from moderation.cases.handlers.queue import UnknownCaseError, comment
from moderation.cases.model import CaseClosedError, CaseHeldError, Moderator, State
from moderation.cases.model.case import MAX_COMMENTS, CaseFullError
from moderation.cases.store.examples import CLEAN
from moderation.policies.model import Ladder, Rules
from tests.moderation.rig import ANNA, BAD, BO, DOUBTFUL, ModerationRig

UPHELD, REVERSED, RECLASSIFIED = CaseOutcome.UPHELD, CaseOutcome.REVERSED, CaseOutcome.RECLASSIFIED
DECLINED = CaseOutcome.DECLINED


async def test_an_upheld_doubt_is_an_offence_from_then_on(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    closed = await rig.decide(case.id, UPHELD)
    assert (closed.state, closed.closed_at) == (State.UPHELD, rig.clock.moment)
    strike = (await rig.standing()).strike_of(message_id)
    assert strike is not None
    assert (strike.category, strike.weight, strike.rung) == ("rumour", 2.0, 1)
    assert [action["kind"] for action in await rig.documents("actions")] == ["delete_message", "send_message"]
    [event] = rig.data_of(CaseClosed)
    assert (event.case_id, event.outcome, event.decided_by, event.category) == (case.id, UPHELD, ANNA.id, "rumour")
    assert len(rig.data_of(MemberSanctioned)) == 1
    [example] = await rig.database["examples"].find().to_list(None)
    assert (example["text"], example["label"], example["suggested"]) == (DOUBTFUL, "rumour", "rumour")


async def test_a_dismissed_doubt_leaves_no_trace_on_the_member(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    before = await rig.standing()
    await rig.decide(case.id, REVERSED)
    assert await rig.standing() == before
    assert await rig.documents("actions") == []
    [example] = await rig.database["examples"].find().to_list(None)
    assert example["label"] == CLEAN


async def test_a_reversal_takes_back_strike_sanction_mute_and_open_actions_together(rig: ModerationRig) -> None:
    await rig.set_rules(Rules(ladder=Ladder(mute_minutes=(60, 120, 240))))
    await rig.offend(1)
    before = await rig.standing()
    message_id = await rig.offend(1)
    mute = (await rig.standing()).strike_of(message_id)
    assert mute is not None
    assert mute.until is not None
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    await rig.decide(case.id, REVERSED)
    assert (await rig.standing()).strikes == before.strikes
    lifted = LiftedSanction(sanction_id=mute.id, group_id="g1", member_id="u1", cause="reversed")
    assert rig.data_of(SanctionLifted) == [lifted]
    states = {
        action["kind"]: action["state"]
        for action in await rig.documents("actions", **{"target.message_id": message_id})
    }
    assert states == {"delete_message": "withdrawn", "mute_member": "withdrawn"}
    assert len(await rig.documents("actions", kind="unmute_member")) == 1
    rig.follows_actions = True
    await rig.run_due(timedelta(hours=2))
    assert len(rig.data_of(SanctionLifted)) == len(await rig.documents("actions", kind="unmute_member")) == 1


async def test_a_mute_that_goes_on_for_another_offence_is_not_ended_by_a_reversal_or_by_a_shorter_one(
    rig: ModerationRig,
) -> None:
    await rig.set_rules(Rules(ladder=Ladder(mute_minutes=(60, 120, 240))))
    await rig.offend(1)
    shorter, longer = await rig.offend(1), await rig.offend(1)
    await rig.say("举报", "u2", reply_to=shorter)
    [case] = await rig.cases()
    await rig.decide(case.id, REVERSED)
    assert await rig.documents("actions", kind="unmute_member") == []
    strike = (await rig.standing()).strike_of(longer)
    assert strike is not None
    assert (await rig.standing()).muted_until == strike.until
    rig.follows_actions = True
    await rig.run_due(timedelta(hours=3))
    assert [(each.sanction_id, each.cause) for each in rig.data_of(SanctionLifted)][1:] == [(strike.id, "expired")]
    assert len(await rig.documents("actions", kind="unmute_member")) == 1


async def test_two_mutes_at_once_end_one_after_the_other_and_the_voice_comes_back_with_the_last(
    rig: ModerationRig,
) -> None:
    await rig.set_rules(Rules(ladder=Ladder(mute_minutes=(60, 120, 240))))
    await rig.offend(3)
    await rig.run_due(timedelta(minutes=60))
    assert len(rig.data_of(SanctionLifted)) == 1
    assert await rig.documents("actions", kind="unmute_member") == []
    await rig.run_due(timedelta(minutes=60))
    assert len(rig.data_of(SanctionLifted)) == 2
    assert len(await rig.documents("actions", kind="unmute_member")) == 1


async def test_staff_who_were_asked_to_do_something_are_told_that_it_is_called_off(rig: ModerationRig) -> None:
    message_id = await rig.offend(1)
    [deletion] = await rig.documents("actions", kind="delete_message")
    await rig.done(deletion, by="staff-7")
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    await rig.decide(case.id, REVERSED)
    [task] = await rig.documents("actions", kind="notify_staff")
    assert (task["assignee"], "撤销" in task["content"]) == ("staff-7", True)


async def test_a_reversal_after_the_removal_asks_the_owner_to_invite_the_member_again(rig: ModerationRig) -> None:
    message_id = await rig.offend(5)
    [proposal] = await rig.cases()
    await rig.decide(proposal.id, UPHELD)
    [removal] = await rig.documents("actions", kind="remove_member")
    await rig.done(removal)
    await rig.say("举报", "u2", reply_to=message_id)
    [report] = await rig.cases(kind="report")
    await rig.decide(report.id, REVERSED)
    assert [task for task in await rig.documents("actions", kind="notify_staff") if "重新邀请" in task["content"]]


async def test_a_decision_answers_the_other_cases_about_the_message(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL)
    await rig.say("举报 造谣", "u2", reply_to=message_id)
    review, report = sorted(await rig.cases(), key=lambda case: case.kind != CaseKind.REVIEW)
    await rig.claim(report.id, BO)
    await rig.decide(review.id, UPHELD, ANNA)
    assert {case.state for case in await rig.cases()} == {State.UPHELD}
    assert len(rig.data_of(CaseClosed)) == 2
    assert len((await rig.standing()).strikes) == 1


async def test_a_corrected_category_changes_reason_and_weight_but_not_the_sanction(rig: ModerationRig) -> None:
    message_id = await rig.offend(1)
    before = (await rig.standing()).strikes[0]
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    with pytest.raises(SameCategoryError):
        await rig.decide(case.id, RECLASSIFIED, category="fraud")
    closed = await rig.decide(case.id, RECLASSIFIED, category="flood")
    assert (closed.state, closed.category) == (State.RECLASSIFIED, "flood")
    [strike] = (await rig.standing()).strikes
    assert (strike.category, strike.rung, strike.id) == ("flood", before.rung, before.id)
    [example] = await rig.database["examples"].find().to_list(None)
    assert (example["label"], example["suggested"]) == ("flood", "fraud")


async def test_a_category_that_counts_nothing_takes_strike_and_sanction_with_it(rig: ModerationRig) -> None:
    message_id = await rig.offend(1)
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    await rig.decide(case.id, RECLASSIFIED, category="mobile")
    assert (await rig.standing()).strikes == []
    assert len(rig.data_of(SanctionLifted)) == 1


async def test_a_doubt_of_another_category_is_enforced_as_that(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    await rig.decide(case.id, RECLASSIFIED, category="ads")
    strike = (await rig.standing()).strike_of(message_id)
    assert strike is not None
    assert strike.category == "ads"
    [sanction] = rig.data_of(MemberSanctioned)
    assert (sanction.kind, sanction.category) == (SanctionKind.WARNING, "ads")


async def test_an_upheld_report_about_staff_tells_them_and_sanctions_nobody(rig: ModerationRig) -> None:
    message_id = await rig.say("稳赚不赔，放心买", "staff-7", role=Role.STAFF)
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    await rig.decide(case.id, UPHELD)
    [action] = await rig.documents("actions")
    assert (action["kind"], action["assignee"]) == ("notify_staff", "staff-7")
    assert rig.data_of(MemberSanctioned) == []


async def test_every_decision_stands_in_the_audit_log_without_personal_data(rig: ModerationRig) -> None:
    await rig.say(BAD)
    await rig.say(DOUBTFUL, "u9")
    [case] = await rig.cases()
    await rig.decide(case.id, UPHELD, BO)
    [entry] = await rig.database["audit_log"].find().to_list(None)
    assert (entry["actor"], entry["action"], entry["subject"]) == (BO.id, "case.upheld", f"case/{case.id}")
    assert "u9" not in str(entry)
    assert (await verify_audit_log(rig.reader)).intact


async def test_a_claimed_case_is_its_holders_until_the_lease_is_over(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    claimed = await rig.claim(case.id, ANNA)
    assert claimed.lease is not None
    assert claimed.lease.until == rig.clock.moment + timedelta(minutes=15)
    for attempt in (rig.claim, rig.release):
        with pytest.raises(CaseHeldError, match="Anna"):
            await attempt(case.id, BO)
    with pytest.raises(CaseHeldError):
        await rig.decide(case.id, UPHELD, BO)
    rig.clock.moment += timedelta(minutes=10)
    renewed = await rig.claim(case.id, ANNA)
    assert renewed.lease is not None
    assert renewed.lease.until == rig.clock.moment + timedelta(minutes=15)
    rig.clock.moment += timedelta(minutes=15)
    await rig.claim(case.id, BO)
    await rig.release(case.id, BO)
    closed = await rig.decide(case.id, UPHELD, ANNA)
    assert closed.lease is None
    for attempt in (rig.claim, rig.release):
        with pytest.raises(CaseClosedError):
            await attempt(case.id, BO)
    with pytest.raises(CaseClosedError):
        await rig.decide(case.id, REVERSED)
    with pytest.raises(UnknownCaseError):
        await rig.decide("review-nothing", REVERSED)


async def test_of_two_decisions_at_once_one_counts(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()

    async def attempt(who: Moderator, outcome: CaseOutcome) -> bool:
        ruling = Ruling(outcome, who)
        try:
            await rig.run(lambda work: decide(work, case.id, ruling, lambda _: None))
        except CaseClosedError:
            return False
        return True

    won = await asyncio.gather(attempt(ANNA, UPHELD), attempt(BO, REVERSED))
    assert sorted(won) == [False, True]
    [case] = await rig.cases()
    assert case.decision is not None
    assert case.decision.outcome is (UPHELD if won[0] else REVERSED)
    assert len((await rig.standing()).strikes) == (1 if won[0] else 0)
    assert len(rig.data_of(CaseClosed)) == 1


async def test_comments_are_kept_in_order_and_are_bounded(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()

    async def write_all(work: object) -> None:
        for number in range(MAX_COMMENTS):
            await comment(work, case.id, ANNA, f"第 {number} 条")  # type: ignore[arg-type]

    await rig.run(write_all)
    [commented] = await rig.cases()
    assert [each.text for each in commented.comments] == [f"第 {number} 条" for number in range(MAX_COMMENTS)]
    with pytest.raises(CaseFullError):
        await rig.run(lambda work: comment(work, case.id, ANNA, "x"))
