"""Who quotes what another has written has not said it; who invents a quotation, or quotes themselves, has."""

import pytest

from huiqun.contracts.channel import Quotation
from huiqun.contracts.moderation import CaseKind, MessageScreened, Screened, Verdict
from tests.moderation.rig import BAD, DOUBTFUL, FINE, ModerationRig

MOBILE = "13812345678"


async def judged(rig: ModerationRig, message_id: str) -> Screened:
    screened: list[Screened] = [each for each in rig.data_of(MessageScreened) if each.message_id == message_id]
    return screened[-1]


@pytest.mark.parametrize("text", ["举报", f"举报 {BAD}"])
async def test_a_report_that_quotes_a_message_is_a_report_of_it(rig: ModerationRig, text: str) -> None:
    advertisement = await rig.say(BAD)
    await rig.say(text, "u2", quoted=Quotation(message_id=advertisement, text=BAD))
    [case] = await rig.cases(kind=CaseKind.REPORT.value)
    assert (case.message_id, case.member_id, case.reporters) == (advertisement, "u1", ("u2",))
    assert (await rig.standing("u2")).strikes == []


async def test_an_appeal_that_quotes_an_offence_is_about_that_one(rig: ModerationRig) -> None:
    first = await rig.offend(1)
    await rig.offend(1)
    await rig.say("申诉 我没有", quoted=Quotation(message_id=first, text=BAD))
    [case] = await rig.cases(kind=CaseKind.APPEAL.value)
    assert case.message_id == first


@pytest.mark.parametrize("quoted", [BAD, BAD[:7] + "…", f" {BAD}\n"])
@pytest.mark.parametrize("together", [True, False])
async def test_who_quotes_an_advertisement_to_complain_has_not_advertised(
    rig: ModerationRig, quoted: str, together: bool
) -> None:
    advertisement = rig.message(BAD)
    quotation = Quotation(message_id=advertisement.data.message_id, text=quoted)
    complaint = rig.message("这是骗子吧", "u2", quoted=quotation)
    for batch in [[advertisement, complaint]] if together else [[advertisement], [complaint]]:
        await rig.deliver(*batch)
    assert (await judged(rig, complaint.data.message_id)).verdict is Verdict.ALLOW
    assert (await rig.standing("u2")).strikes == []


async def test_who_invents_a_quotation_has_said_it_themselves(rig: ModerationRig) -> None:
    harmless = await rig.say(FINE)
    message_id = await rig.say("看这个", "u2", quoted=Quotation(message_id=harmless, member_id="u1", text=BAD))
    screened = await judged(rig, message_id)
    assert (screened.verdict, screened.reasons[0].category, screened.reasons[0].spans) == (Verdict.BLOCK, "fraud", ())
    assert len((await rig.standing("u2")).strikes) == 1


async def test_who_quotes_their_own_advertisement_says_it_again(rig: ModerationRig) -> None:
    own = await rig.say(BAD, "u2")
    message_id = await rig.say("看这个", "u2", quoted=Quotation(message_id=own, text=BAD))
    assert (await judged(rig, message_id)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("quoted_id", [None, "m-unknown"])
async def test_a_quotation_that_nobody_can_compare_is_looked_at(rig: ModerationRig, quoted_id: str | None) -> None:
    message_id = await rig.say("看这个", "u2", quoted=Quotation(message_id=quoted_id, text=BAD))
    assert (await judged(rig, message_id)).verdict is Verdict.REVIEW
    assert (await rig.standing("u2")).strikes == []
    assert [case.kind for case in await rig.cases(member_id="u2")] == [CaseKind.REVIEW]


async def test_a_message_of_the_same_id_elsewhere_makes_no_quotation_genuine(rig: ModerationRig) -> None:
    advertisement = rig.message(BAD)
    elsewhere = advertisement.model_copy(
        update={"data": advertisement.data.model_copy(update={"group_id": "g2"}), "subject": "g2"}
    )
    await rig.deliver(elsewhere)
    quotation = Quotation(message_id=advertisement.data.message_id, text=BAD)
    message_id = await rig.say("看这个", "u2", quoted=quotation)
    assert (await judged(rig, message_id)).verdict is Verdict.REVIEW


async def test_the_others_read_masked_what_was_quoted_answered_and_mentioned(rig: ModerationRig) -> None:
    quotation = Quotation(message_id="m-old", member_id="u9", display_name="王女士", text=f"我的电话是 {MOBILE}")
    event = rig.message(FINE, "u2", reply_to="m-other", quoted=quotation)
    mentioning = event.data.model_copy(update={"mentions": tuple(f"u{number}" for number in range(300))})
    await rig.deliver(event.model_copy(update={"data": mentioning}))
    screened = await judged(rig, event.data.message_id)
    assert screened.quoted is not None
    assert (screened.quoted.message_id, screened.quoted.member_id) == ("m-old", "u9")
    assert screened.quoted.masked_text == "我的电话是 138****5678"
    assert (screened.reply_to, len(screened.mentions)) == ("m-other", 100)
    [kept] = await rig.documents("messages")
    assert kept["quoted"]["masked_text"] == screened.quoted.masked_text
    assert (kept["reply_to"], kept["mentions"]) == ("m-other", list(screened.mentions))
    assert MOBILE not in str(kept)
    assert "王女士" not in str(kept)


async def test_a_doubtful_word_in_a_genuine_quotation_asks_nobody(rig: ModerationRig) -> None:
    rumour = await rig.say(DOUBTFUL)
    await rig.say("这是真的吗？", "u2", quoted=Quotation(message_id=rumour, text=DOUBTFUL))
    assert await rig.cases(member_id="u2") == []
