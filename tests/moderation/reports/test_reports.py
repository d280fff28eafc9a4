"""Members report by a reply: a person looks; who reports badly waits for another, who does too often is not heard."""

from datetime import timedelta

from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import CaseKind, CaseOpened, CaseOutcome
from moderation.cases.model import CaseState
from moderation.policies.sections.review import ReviewRule
from moderation.policies.sections.rules import Rules
from moderation.reports.model import Reporter, begins_with_phrase
from tests.moderation.rig import BAD, FINE, ModerationRig

REVERSED, UPHELD = CaseOutcome.REVERSED, CaseOutcome.UPHELD


async def test_a_reply_that_reports_opens_a_case_and_does_nothing_by_itself(rig: ModerationRig) -> None:
    message_id = await rig.say(FINE)
    await rig.say("举报 他私信我推销，电话 13812345678", "u2", reply_to=message_id)
    [case] = await rig.cases()
    assert (case.kind, case.state, case.message_id, case.member_id) == (
        CaseKind.REPORT,
        CaseState.OPEN,
        message_id,
        "u1",
    )
    assert (case.category, case.text, case.reporters) == ("reported", FINE, ("u2",))
    assert case.history[0].note == "举报 他私信我推销，电话 138****5678"
    assert len(rig.data_of(CaseOpened)) == 1
    assert await rig.documents("actions", **{"target.message_id": message_id}) == []


async def test_what_is_no_report_opens_nothing(rig: ModerationRig) -> None:
    message_id = await rig.say(FINE)
    await rig.say("举报", "u2")
    await rig.say("你说得对，我也想举报", "u2", reply_to=message_id)
    await rig.say("举报", "u1", reply_to=message_id)
    await rig.say("举报", "u2", reply_to="m-unknown")
    await rig.say("举报", "bot", reply_to=message_id, role=Role.BOT)
    assert await rig.cases() == []


async def test_a_report_in_the_batch_of_its_message_is_heard(rig: ModerationRig) -> None:
    message = rig.message(FINE)
    await rig.deliver(message, rig.message("举报", "u2", reply_to=message.data.message_id))
    assert [case.kind for case in await rig.cases()] == [CaseKind.REPORT]


async def test_another_report_joins_the_case_and_the_same_one_does_not(rig: ModerationRig) -> None:
    message_id = await rig.say(FINE)
    for reporter in ("u2", "u3", "u2"):
        await rig.say("@群主 举报", reporter, reply_to=message_id)
    [case] = await rig.cases()
    assert case.reporters == ("u2", "u3")
    assert len(rig.data_of(CaseOpened)) == 1


async def test_a_report_names_what_the_rules_had_seen(rig: ModerationRig) -> None:
    message_id = await rig.say(BAD)
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    assert (case.category, case.severity) == ("fraud", 5)


async def test_a_report_that_quotes_what_it_reports_is_looked_at_and_is_no_offence(rig: ModerationRig) -> None:
    advertisement = rig.message(BAD)
    await rig.deliver(advertisement, rig.message(f"举报 {BAD}", "u2", reply_to=advertisement.data.message_id))
    await rig.say(f"举报 {BAD}", "u3", reply_to=advertisement.data.message_id)
    assert [case.kind for case in await rig.cases(member_id={"$in": ["u2", "u3"]})] == [CaseKind.REVIEW] * 2
    assert [(await rig.standing(reporter)).strikes for reporter in ("u2", "u3")] == [[], []]
    assert len((await rig.standing("u1")).strikes) == 1


async def test_who_says_report_and_advertises_is_judged_as_any_other(rig: ModerationRig) -> None:
    harmless = await rig.say(FINE)
    await rig.say(f"举报 {BAD}", "u2", reply_to=harmless)
    own = await rig.say(FINE, "u3")
    await rig.say(f"举报 {BAD}", "u3", reply_to=own)
    assert [len((await rig.standing(reporter)).strikes) for reporter in ("u2", "u3")] == [1, 1]


async def test_who_reported_badly_waits_for_a_second_reporter(rig: ModerationRig) -> None:
    for _ in range(2):
        message_id = await rig.say(FINE)
        await rig.say("举报", "u2", reply_to=message_id)
        [case] = await rig.cases(state="open")
        await rig.decide(case.id, REVERSED)
    message_id = await rig.say(FINE)
    await rig.say("举报", "u2", reply_to=message_id)
    [waiting] = await rig.cases(message_id=message_id)
    assert waiting.state is CaseState.WAITING
    assert len(rig.data_of(CaseOpened)) == 2
    rig.clock.moment += timedelta(hours=1)
    await rig.say("举报", "u3", reply_to=message_id)
    [case] = await rig.cases(message_id=message_id)
    assert (case.state, case.opened_at) == (CaseState.OPEN, rig.clock.moment)
    assert len(rig.data_of(CaseOpened)) == 3
    await rig.decide(case.id, UPHELD)
    known = {each["_id"]: (each["upheld"], each["dismissed"]) async for each in rig.database["reporters"].find()}
    assert known == {"u2": (1, 2), "u3": (1, 0)}


async def test_a_message_that_was_edited_after_a_decision_can_be_reported_again(rig: ModerationRig) -> None:
    message_id = await rig.say(FINE)
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    await rig.decide(case.id, REVERSED)
    await rig.say("举报", "u3", reply_to=message_id)
    assert [(case.state, case.reporters) for case in await rig.cases()] == [(CaseState.REVERSED, ("u2",))]
    await rig.edit(message_id, "代办信用卡，私聊", 1)
    await rig.say("举报 他改成广告了", "u3", reply_to=message_id)
    [again] = await rig.cases()
    assert (again.state, again.reporters, again.text) == (CaseState.OPEN, ("u3",), "代办信用卡，私聊")
    assert [entry.what for entry in again.history] == ["opened", "reversed", "reopened"]
    assert len(rig.data_of(CaseOpened)) == 2


async def test_a_report_of_an_edited_message_shows_the_text_as_it_is_now(rig: ModerationRig) -> None:
    message_id = await rig.say(FINE)
    await rig.say("举报", "u2", reply_to=message_id)
    await rig.edit(message_id, "代办信用卡，私聊", 1)
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    assert (case.text, case.revision, case.reporters) == ("代办信用卡，私聊", 1, ("u2",))


async def test_a_report_that_nobody_joins_is_forgotten_after_90_days(rig: ModerationRig) -> None:
    indexes = (await rig.database["cases"].index_information()).values()
    [forgetting] = [each for each in indexes if each["key"] == [("opened_at", 1)]]
    assert forgetting["expireAfterSeconds"] == 90 * 24 * 3600
    assert forgetting["partialFilterExpression"] == {"state": "waiting"}


async def test_more_reports_a_day_than_allowed_are_passed_over(rig: ModerationRig) -> None:
    await rig.set_rules(Rules(review=ReviewRule(reports_per_day=2), flood=None, duplicate=None))
    messages = [await rig.say(FINE) for _ in range(4)]
    for message_id in messages[:3]:
        await rig.say("举报", "u2", reply_to=message_id)
    assert {case.message_id for case in await rig.cases()} == set(messages[:2])
    rig.clock.moment += timedelta(days=1)
    await rig.say("举报", "u2", reply_to=messages[3])
    assert len(await rig.cases()) == 3


async def test_staff_are_heard_however_often_they_report(rig: ModerationRig) -> None:
    await rig.set_rules(Rules(review=ReviewRule(reports_per_day=1), flood=None, duplicate=None))
    for _ in range(3):
        await rig.say("举报", "staff-7", reply_to=await rig.say(FINE), role=Role.STAFF)
    assert len(await rig.cases(state="open")) == 3


async def test_the_words_of_the_policy_are_the_ones_that_count(rig: ModerationRig) -> None:
    await rig.set_rules(Rules(review=ReviewRule(report_phrases=("投诉他",), appeal_phrases=())))
    message_id = await rig.say(FINE)
    await rig.say("举报", "u2", reply_to=message_id)
    await rig.say("投诉他！", "u3", reply_to=message_id)
    [case] = await rig.cases()
    assert case.reporters == ("u3",)


def test_trust_is_the_smoothed_share_of_upheld_reports() -> None:
    assert Reporter("u").trust == 0.5
    assert Reporter("u", upheld=8, dismissed=0).trust == 0.9
    assert Reporter("u", upheld=0, dismissed=2).trust == 0.25


def test_a_phrase_counts_at_the_beginning_after_who_is_addressed() -> None:
    assert begins_with_phrase(" @群主 @小王 举报", ("举报",))
    assert begins_with_phrase("@群主\u2005【舉 报】", ("举报",))
    assert not begins_with_phrase("什么都行", ("！！",))
    assert not begins_with_phrase("不举报", ("举报",))
    assert not begins_with_phrase("@举报", ("举报",))
