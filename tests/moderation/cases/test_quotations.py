"""Who quotes what another has written has not said it; who invents a quotation, or quotes themselves, has."""

import pytest

from huiqun.contracts.channel import Quotation
from huiqun.contracts.moderation import CaseKind, MessageScreened, Screened, Verdict
from tests.moderation.desk import BAD, DOUBTFUL, FINE, Desk

MOBILE = "13812345678"


async def judged(desk: Desk, message_id: str) -> Screened:
    screened: list[Screened] = [each for each in await desk.events(MessageScreened) if each.message_id == message_id]
    return screened[-1]


@pytest.mark.parametrize("text", ["举报", f"举报 {BAD}"])
async def test_a_report_that_quotes_a_message_is_a_report_of_it(desk: Desk, text: str) -> None:
    advertisement = await desk.say(BAD)
    await desk.say(text, "u2", quoted=Quotation(message_id=advertisement, text=BAD))
    [case] = await desk.cases(kind=CaseKind.REPORT.value)
    assert (case.message_id, case.member_id, case.reporters) == (advertisement, "u1", ("u2",))
    assert (await desk.standing("u2")).strikes == []


async def test_an_appeal_that_quotes_an_offence_is_about_that_one(desk: Desk) -> None:
    first = await desk.offend(1)
    await desk.offend(1)
    await desk.say("申诉 我没有", quoted=Quotation(message_id=first, text=BAD))
    [case] = await desk.cases(kind=CaseKind.APPEAL.value)
    assert case.message_id == first


@pytest.mark.parametrize("quoted", [BAD, BAD[:7] + "…", f" {BAD}\n"])
@pytest.mark.parametrize("together", [True, False])
async def test_who_quotes_an_advertisement_to_complain_has_not_advertised(
    desk: Desk, quoted: str, together: bool
) -> None:
    advertisement = desk.message(BAD)
    quotation = Quotation(message_id=advertisement.data.message_id, text=quoted)
    complaint = desk.message("这是骗子吧", "u2", quoted=quotation)
    for batch in [[advertisement, complaint]] if together else [[advertisement], [complaint]]:
        await desk.inlet.deliver(batch)
    assert (await judged(desk, complaint.data.message_id)).verdict is Verdict.ALLOW
    assert (await desk.standing("u2")).strikes == []


async def test_who_invents_a_quotation_has_said_it_themselves(desk: Desk) -> None:
    harmless = await desk.say(FINE)
    message_id = await desk.say("看这个", "u2", quoted=Quotation(message_id=harmless, member_id="u1", text=BAD))
    screened = await judged(desk, message_id)
    assert (screened.verdict, screened.reasons[0].category, screened.reasons[0].spans) == (Verdict.BLOCK, "fraud", ())
    assert len((await desk.standing("u2")).strikes) == 1


async def test_who_quotes_their_own_advertisement_says_it_again(desk: Desk) -> None:
    own = await desk.say(BAD, "u2")
    message_id = await desk.say("看这个", "u2", quoted=Quotation(message_id=own, text=BAD))
    assert (await judged(desk, message_id)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("quoted_id", [None, "m-unknown"])
async def test_a_quotation_that_nobody_can_compare_is_looked_at(desk: Desk, quoted_id: str | None) -> None:
    message_id = await desk.say("看这个", "u2", quoted=Quotation(message_id=quoted_id, text=BAD))
    assert (await judged(desk, message_id)).verdict is Verdict.REVIEW
    assert (await desk.standing("u2")).strikes == []
    assert [case.kind for case in await desk.cases(member_id="u2")] == [CaseKind.REVIEW]


async def test_a_message_of_the_same_id_elsewhere_makes_no_quotation_genuine(desk: Desk) -> None:
    advertisement = desk.message(BAD)
    elsewhere = advertisement.model_copy(
        update={"data": advertisement.data.model_copy(update={"group_id": "g2"}), "subject": "g2"}
    )
    await desk.inlet.deliver([elsewhere])
    quotation = Quotation(message_id=advertisement.data.message_id, text=BAD)
    message_id = await desk.say("看这个", "u2", quoted=quotation)
    assert (await judged(desk, message_id)).verdict is Verdict.REVIEW


async def test_the_others_read_masked_what_was_quoted_answered_and_mentioned(desk: Desk) -> None:
    quotation = Quotation(message_id="m-old", member_id="u9", display_name="王女士", text=f"我的电话是 {MOBILE}")
    event = desk.message(FINE, "u2", reply_to="m-other", quoted=quotation)
    mentioning = event.data.model_copy(update={"mentions": tuple(f"u{number}" for number in range(300))})
    await desk.inlet.deliver([event.model_copy(update={"data": mentioning})])
    screened = await judged(desk, event.data.message_id)
    assert screened.quoted is not None
    assert (screened.quoted.message_id, screened.quoted.member_id) == ("m-old", "u9")
    assert screened.quoted.masked_text == "我的电话是 138****5678"
    assert (screened.reply_to, len(screened.mentions)) == ("m-other", 100)
    [kept] = (await desk.inlet.documents("messages")).values()
    assert kept["quoted"]["masked_text"] == screened.quoted.masked_text
    assert (kept["reply_to"], kept["mentions"]) == ("m-other", list(screened.mentions))
    assert MOBILE not in str(kept)
    assert "王女士" not in str(kept)


async def test_a_doubtful_word_in_a_genuine_quotation_asks_nobody(desk: Desk) -> None:
    rumour = await desk.say(DOUBTFUL)
    await desk.say("这是真的吗？", "u2", quoted=Quotation(message_id=rumour, text=DOUBTFUL))
    assert await desk.cases(member_id="u2") == []
