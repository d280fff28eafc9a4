"""The second act of screening: a batch is judged from values alone, and what it changes comes back."""

from datetime import UTC, datetime, timedelta

from huiqun.contracts.channel import Message, MessageReceived, Sender
from huiqun.contracts.moderation import Screened, Verdict
from moderation.consequences.model import QuotableMessages, ref_of_record
from moderation.evidence.model import gather_evidence
from moderation.groups.model import GroupSettings
from moderation.lexicon.matching.matcher import EVERY_POLICY, Lexicon
from moderation.lexicon.matching.words import Word
from moderation.lifecycle.model import EarlyChangeUpdate, RevisionState
from moderation.policies.model import Policy
from moderation.policies.sections.rules import Rules
from moderation.rulebook.model import PolicySnapshot, Rulebook
from moderation.screening.model import (
    CollectedBatch,
    CollectedMessage,
    JudgedBatch,
    JudgingTerms,
    PreparedMessage,
    judge_batch,
)
from moderation.standings.model import Standing

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
RULEBOOK = Rulebook(PolicySnapshot({}, {}), Lexicon([Word("w1", "刷单", "fraud", 5)]), "v1", {"fraud": 1})
POLICY = Policy("p", 1, Rules())
BAD, FINE = "在家兼职刷单日赚三百", "请问网点几点开门"


def said(
    text: str, seconds: int = 0, *, recalled_by: str | None = None, reply_to: str | None = None
) -> CollectedMessage:
    message = Message(
        message_id=f"m{seconds}",
        group_id="g",
        sender=Sender(member_id="u"),
        text=text,
        reply_to=reply_to,
        sent_at=NOON + timedelta(seconds=seconds),
    )
    (evidence,) = gather_evidence([message], [EVERY_POLICY], RULEBOOK.lexicon, NOON.date())
    prepared = PreparedMessage(RULEBOOK, message, GroupSettings(), POLICY, evidence)
    event = MessageReceived.create("g", message, time=message.sent_at)
    return CollectedMessage(event, RevisionState(recalled_by=recalled_by), prepared)


def judged(*messages: CollectedMessage, earlier: Screened | None = None) -> JudgedBatch:
    standings = {"g/u": Standing("g", "u")}
    known = {ref_of_record(earlier): earlier} if earlier is not None else {}
    quotable = QuotableMessages(known, frozenset())
    collected = CollectedBatch(RULEBOOK, messages, standings, {}, quotable, EarlyChangeUpdate())
    result = JudgedBatch(standings)
    steps = list(judge_batch(collected, JudgingTerms(NOON, b"key", None), result))
    assert len(steps) == len(messages)
    return result


def test_an_offence_comes_back_as_a_strike_a_sanction_and_requests() -> None:
    result = judged(said(FINE), said(BAD, 10))
    assert [record.verdict for record in result.records] == [Verdict.ALLOW, Verdict.BLOCK]
    assert [entry.screened for entry in result.entries] == result.records
    (strike,) = result.standings["g/u"].strikes
    (sanction,) = result.consequences.sanctions
    assert (strike.message_id, strike.id) == ("m10", sanction.sanction_id)
    assert {action.target.message_id for action in result.consequences.actions if action.target} == {"m10"}
    assert result.consequences.contexts.keys() == {action.action_id for action in result.consequences.actions}


def test_what_nobody_sees_any_more_is_an_offence_and_not_deleted() -> None:
    shown, hidden = judged(said(BAD)), judged(said(BAD, recalled_by="u"))
    assert len(hidden.consequences.actions) == len(shown.consequences.actions) - 1
    assert hidden.entries[0].recalled_by == "u"


def test_a_report_that_repeats_what_it_reports_is_no_offence() -> None:
    (record,) = judged(said(BAD)).records
    bad = record.model_copy(update={"member_id": "somebody"})
    report = judged(said(f"举报 {BAD}", 20, reply_to=bad.message_id), earlier=bad)
    assert report.records[0].verdict is Verdict.REVIEW
    assert [each.ref for each in report.consequences.reports] == [ref_of_record(bad)]
    assert report.standings["g/u"].strikes == []
