"""Whatever a platform delivers is judged; of what is very long, the beginning and the end, and a person looks at it."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from huiqun.contracts.channel import MAX_TEXT, ActionKind, Message, MessageReceived, Sender, TextAvailability
from huiqun.contracts.moderation import MessageScreened, Reason, Screened, Verdict
from huiqun.kafka.publisher import event_record
from huiqun.privacy.detection import find_personal_data
from moderation.policies.model import LengthRule, LinkRule, OversizeRule, ProbationRule, Rules
from moderation.screening.model.evidence import Evidence
from moderation.screening.model.limits import MAX_ADDRESS, MAX_REASONS, MAX_SPANS, Limited, bounded, within_limits
from tests.moderation.rig import MONDAY, ModerationRig

PERSONAL = ("11010519491231002X", "6222 0210 0112 2334 409", "138-0013-8000", "zhang.san@example.com")
FILLERS = ("长", "请问，", "a1 ", "👍")
LENGTHS = st.integers(MAX_TEXT + 1, MAX_TEXT * 4)
# Where the cuts come to stand in a text of this length, more or less.
LONG = 60_000
CUTS = tuple(range(13_950, 14_850, 11)), tuple(range(LONG - 4_850, LONG - 3_950, 11))


def limited(text: str, url: str | None = None) -> Limited:
    sender = Sender(member_id="u1")
    return within_limits(Message(message_id="m", group_id="g", sender=sender, text=text, url=url, sent_at=MONDAY))


def filled(filler: str, length: int) -> str:
    return (filler * (length // len(filler) + 1))[:length]


def with_within(text: str, at: int, what: str) -> str:
    return text[:at] + what + text[at + len(what) :]


@given(st.sampled_from(FILLERS), LENGTHS)
def test_a_long_text_is_kept_within_the_limit_and_says_how_much_is_missing(filler: str, length: int) -> None:
    text = filled(filler, length)
    kept, left_out, _ = limited(text)
    assert len(kept.text) <= MAX_TEXT
    beginning, end = kept.text.split(f"略去 {left_out} 字")
    assert text.startswith(beginning.partition("\n〔")[0])
    assert left_out > 0
    assert end


@pytest.mark.parametrize("length", [0, 1, MAX_TEXT - 1, MAX_TEXT])
def test_a_text_within_the_limit_is_judged_as_it_is(length: int) -> None:
    kept, left_out, address_is_cut = limited("长" * length, "https://a.cn/" + "x" * (MAX_ADDRESS - 13))
    assert (len(kept.text), left_out, address_is_cut) == (length, 0, False)


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("value", PERSONAL)
def test_no_part_of_personal_data_is_kept_unmasked_wherever_the_cuts_fall(filler: str, value: str) -> None:
    hidden = value.partition("@")[0]  # who has a mailbox, not at which provider
    parts = [hidden[start : start + 9] for start in range(len(hidden) - 8)]
    for at in (*CUTS[0], *CUTS[1]):
        kept, *_ = limited(with_within(filled(filler, LONG), at - 1, f" {value} "))
        masked = Evidence(personal=tuple(find_personal_data(kept.text))).masked(kept.text)
        assert not [part for part in parts if part in masked], at


@given(st.integers(0, 14_000 - 8), st.integers(0, 4_000 - 8), st.sampled_from(["长", "好的，", "a1 "]))
@example(13_992, 0, "长")
@example(0, 3_992, "长")
def test_a_word_is_whole_that_begins_early_or_ends_late_enough(at: int, before: int, filler: str) -> None:
    text = filled(filler, LONG)
    early = limited(with_within(text, at, "一起刷单吧朋友们"))
    late = limited(with_within(text, LONG - before - 8, "一起刷单吧朋友们"))
    assert "一起刷单吧朋友们" in early.message.text
    assert "一起刷单吧朋友们" in late.message.text


async def test_an_overlong_message_is_looked_at_by_a_person(rig: ModerationRig) -> None:
    await rig.say_all("长" * 100_000)
    [screened] = rig.screened
    assert (screened.verdict, screened.reasons[0].category) == (Verdict.REVIEW, "oversize")
    assert screened.left_out > 80_000
    [document] = await rig.documents("messages")
    assert (len(document["text"]) <= MAX_TEXT, document["left_out"]) == (True, screened.left_out)
    [case] = await rig.documents("cases")
    assert (case["kind"], case["category"]) == ("review", "oversize")


@pytest.mark.parametrize("at", [0, 13_000, 96_500, 99_990])
async def test_what_an_overlong_message_begins_and_ends_with_counts_as_ever(rig: ModerationRig, at: int) -> None:
    await rig.say_all(with_within("长" * 100_000, at, "一起刷单"))
    assert rig.screened[0].verdict is Verdict.BLOCK
    assert len(rig.actions(ActionKind.DELETE_MESSAGE)) == 1


async def test_the_rule_about_overlong_messages_can_be_switched(rig: ModerationRig) -> None:
    rig.govern(Rules(oversize=None))
    await rig.say_all("长" * 50_000)
    rig.govern(Rules(oversize=OversizeRule(verdict=Verdict.BLOCK)))
    await rig.say_all("短", "文" * 50_000)
    rig.govern(Rules(oversize=OversizeRule(shadow=True)))
    await rig.say_all("字" * 50_000)
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW, Verdict.ALLOW, Verdict.BLOCK, Verdict.ALLOW]
    assert rig.screened[-1].reasons[0].shadow


async def test_the_rule_of_length_counts_what_is_not_kept(rig: ModerationRig) -> None:
    rig.govern(Rules(oversize=None, length=LengthRule(max_characters=MAX_TEXT)))
    await rig.say_all("长" * (MAX_TEXT + 1), "短" * MAX_TEXT)
    assert [[reason.rule for reason in each.reasons] for each in rig.screened] == [["length"], []]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/" + "x" * 100_000,
        "https://" + "bank.example.com" * 400 + "@evil.example/",
        "https://" + "u" * 9_000 + ":" + "p" * 9_000 + "@evil.example/path?" + "q" * 9_000,
        "https://bank.example.com/?" + "q" * 90_000 + "&to=https://evil.example/",
    ],
    ids=["path", "login", "password", "redirection"],
)
async def test_an_address_of_any_length_is_judged(rig: ModerationRig, url: str) -> None:
    rig.govern(Rules(links=LinkRule(allowed_domains=("bank.example.com",))))
    event = rig.message("看这里")
    await rig.deliver(event.model_copy(update={"data": event.data.model_copy(update={"url": url})}))
    [screened] = rig.screened
    assert screened.verdict is Verdict.BLOCK
    assert {"links", "oversize"} <= {reason.rule for reason in screened.reasons}
    assert screened.url is not None
    assert len(screened.url) <= MAX_ADDRESS


def test_of_many_reasons_the_severest_are_made_known_in_their_order() -> None:
    reasons = [Reason(rule="lexicon", category=f"c{n}", severity=1 + n % 5, confidence=1.0) for n in range(500)]
    spans = tuple((n, n + 1) for n in range(1_000))
    known = bounded((*reasons, Reason(rule="links", category="links", severity=5, confidence=1.0, spans=spans)))
    assert len(known) == MAX_REASONS
    assert {reason.severity for reason in known} == {5}
    assert [reason for reason in reasons if reason in known] == list(known)[: len(reasons)]
    assert len(bounded((known[0].model_copy(update={"spans": spans}),))[0].spans) == MAX_SPANS


HEAVY: Sequence[str] = (
    "加微信领红包刷单" * 40_000,
    "http://a.cn/ " * 40_000,
    "11010519491231002X " * 20_000,
    "\u0001" * 300_000,
    "👨‍👩‍👧‍👦" * 30_000,
    "内幕消息保本刷单，" * 50_000,
)


@pytest.mark.parametrize("text", HEAVY, ids=[text[:8].strip() for text in HEAVY])
async def test_what_is_made_known_of_a_message_fits_into_a_record(rig: ModerationRig, text: str) -> None:
    await rig.say_all(text)
    [event] = rig.emitted(MessageScreened)
    value = event_record(event).value
    assert value is not None
    assert len(value) < 500_000


def kept_by_platform(
    rig: ModerationRig, availability: TextAvailability, text: str, url: str | None = None
) -> MessageReceived:
    event = rig.message(text)
    changes = {"text_availability": availability, "url": url}
    return event.model_copy(update={"data": event.data.model_copy(update=changes)})


async def test_a_text_that_the_platform_keeps_is_no_case(rig: ModerationRig) -> None:
    await rig.deliver(*(kept_by_platform(rig, TextAvailability.NONE, "") for _ in range(5)))
    assert {each.verdict for each in rig.screened} == {Verdict.ALLOW}
    assert await rig.documents("cases") == []


async def test_of_a_text_that_the_platform_keeps_or_masks_the_rest_is_judged(rig: ModerationRig) -> None:
    hidden = kept_by_platform(rig, TextAvailability.NONE, "", "https://evil.example/")
    masked = kept_by_platform(rig, TextAvailability.MASKED, "一起刷单 138****8000")
    await rig.deliver(hidden, masked)
    assert [each.verdict for each in rig.screened] == [Verdict.BLOCK, Verdict.BLOCK]


async def test_where_the_platform_keeps_texts_probation_ends_all_the_same(rig: ModerationRig) -> None:
    rig.govern(Rules(links=None, probation=ProbationRule(hours=0, messages=3)))
    await rig.deliver(*(kept_by_platform(rig, TextAvailability.NONE, "") for _ in range(3)))
    await rig.deliver(kept_by_platform(rig, TextAvailability.NONE, "", "https://a.example/"))
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW] * 4


def test_a_judged_message_says_by_itself_that_all_of_it_was_judged() -> None:
    assert Screened.model_fields["left_out"].default == 0
