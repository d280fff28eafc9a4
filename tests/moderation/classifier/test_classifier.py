"""The classifier: what it takes for abuse, on how odd a text, and how far a policy lets it go."""

import csv
from datetime import UTC, datetime
from importlib.resources import files

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from benchmarks.evasion import BENIGN
from huiqun.contracts.channel import Message, Role, Sender
from huiqun.contracts.moderation import Verdict
from huiqun.privacy.detection import find_personal_data
from moderation import classifier
from moderation.classifier.handlers import load_shipped_classifier
from moderation.classifier.model import LONGEST_RUN, Classifier, fold_texts, list_runs
from moderation.evidence.model import add_likeness, gather_evidence
from moderation.groups.model import GroupSettings
from moderation.lexicon.matching.matcher import EVERY_POLICY, Lexicon
from moderation.policies.model import Policy
from moderation.policies.sections.content_rules import ClassifierRule
from moderation.policies.sections.lexicon_rules import LexiconRule
from moderation.policies.sections.rules import Rules
from moderation.rulebook.model import PolicySnapshot, Rulebook
from moderation.standings.model import Standing
from moderation.verdicts.handlers import try_text
from moderation.verdicts.model import Decision, judge_message

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
WEIGHTS = files(classifier).joinpath("data", "classifier.csv")
INSULT = "你他妈就是个废物垃圾"
THANKS = "谢谢大家，辛苦了"
WITHOUT = Rules(lexicon=LexiconRule(categories={}))
WITH = WITHOUT.model_copy(update={"classifier": ClassifierRule()})


def judged(text: str, rules: Rules, role: Role = Role.CUSTOMER) -> Decision:
    sender = Sender(member_id="u", role=role)
    message = Message(message_id="m", group_id="g", sender=sender, text=text, sent_at=NOW)
    policy = Policy("p", 1, rules)
    evidence = gather_evidence([message], [EVERY_POLICY], Lexicon.empty(), NOW.date())
    add_likeness(evidence, [message], [policy], load_shipped_classifier)
    standing = Standing("g", "u") if role is Role.CUSTOMER else None
    return judge_message(message, policy, GroupSettings(), standing, evidence[0])


def never_loaded() -> Classifier:
    raise AssertionError("no policy asks for the classifier")


@pytest.mark.parametrize("insult", [INSULT, "这种傻逼就该滚出去", "脑残东西，恶心死了"])
def test_an_insult_scores_higher_than_a_thank_you(insult: str) -> None:
    classifier = load_shipped_classifier()
    assert classifier.score(insult) > 0.5 > 0.1 > classifier.score(THANKS)


def test_few_of_the_texts_that_a_banks_customers_write_resemble_abuse() -> None:
    """The texts are none of those it was trained with."""
    texts = BENIGN.read_text(encoding="utf-8").splitlines()
    scores = load_shipped_classifier().score_batch(texts)
    assert sum(score >= ClassifierRule().threshold for score in scores) <= len(texts) * 0.01


def test_a_disguise_that_folding_takes_off_changes_nothing() -> None:
    classifier = load_shipped_classifier()
    disguised = "\u200b".join("你他媽就是個廢物垃圾")
    assert classifier.score(disguised) == classifier.score(INSULT)


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from('你他妈废物谢谢好\0\u200b\U0001f600\ud800 a，"\n'), max_size=12), max_size=8))
def test_a_batch_scores_as_its_texts_do_alone(texts: list[str]) -> None:
    classifier = load_shipped_classifier()
    assert classifier.score_batch(texts) == [classifier.score(text) for text in texts]


@settings(deadline=None)
@given(st.text())
def test_any_text_has_a_probability(text: str) -> None:
    assert 0 <= load_shipped_classifier().score(text) <= 1


@pytest.mark.parametrize("text", ["", " ", "\0", "\U0010ffff", "\u200b"])
def test_a_text_that_says_nothing_resembles_nothing(text: str) -> None:
    assert load_shipped_classifier().score(text) < 0.5


def test_a_huge_text_is_scored_by_what_it_says_and_not_by_how_often() -> None:
    classifier = load_shipped_classifier()
    assert classifier.score(INSULT * 10_000) == classifier.score(INSULT * 3)
    assert classifier.score(THANKS * 10_000) < 0.5


def test_the_runs_of_a_text_are_all_its_pieces_of_up_to_three_characters() -> None:
    assert sorted(list_runs("abcd")) == ["a", "ab", "abc", "b", "bc", "bcd", "c", "cd", "d"]
    assert list(list_runs("")) == []


def test_the_weights_are_small_and_hold_no_more_of_a_comment_than_three_characters() -> None:
    content = WEIGHTS.read_text(encoding="utf-8")
    assert len(content.encode()) < 1_000_000
    _, *rows = csv.reader(content.splitlines())
    assert max(len(run) for run, _ in rows) <= LONGEST_RUN
    assert all(-127 <= int(weight) <= 127 and int(weight) for _, weight in rows)
    assert all(fold_texts([run]) == [run] for run, _ in rows), "a run that folding changes is never found"
    assert not [run for run, _ in rows if find_personal_data(run)]


def test_the_weights_can_be_read_with_quotes_and_commas_in_them() -> None:
    assert Classifier.parse('0.5,-1\n",",3\n"""",-2\n').score(",") > 0.5


def test_resemblance_leads_to_review_with_its_probability_as_confidence() -> None:
    decision = judged(INSULT, WITH)
    (found,) = decision.findings
    assert decision.verdict is Verdict.REVIEW
    assert (found.reason.rule, found.reason.category) == ("classifier", "abuse")
    assert found.reason.confidence == load_shipped_classifier().score(INSULT)
    assert found.reason.spans == ((0, len(INSULT)),)


@pytest.mark.parametrize("verdict", ["block", "allow"])
def test_a_policy_cannot_let_the_classifier_do_more_than_ask_for_a_review(verdict: str) -> None:
    with pytest.raises(ValidationError):
        Rules.model_validate({"classifier": {"verdict": verdict}})


def test_what_stays_below_the_threshold_passes() -> None:
    assert judged(THANKS, WITH).verdict is Verdict.ALLOW
    strict = WITHOUT.model_copy(update={"classifier": ClassifierRule(threshold=1)})
    assert judged(INSULT, strict).verdict is Verdict.ALLOW


def test_staff_and_bots_are_not_classified() -> None:
    assert judged(INSULT, WITH, Role.STAFF).findings == ()
    assert judged(INSULT, WITH, Role.BOT).findings == ()


def test_the_classifier_is_off_unless_a_policy_asks_for_it() -> None:
    assert Rules().classifier is None
    assert judged(INSULT, WITHOUT).verdict is Verdict.ALLOW


def test_only_messages_under_a_policy_that_asks_are_scored() -> None:
    sender = Sender(member_id="u")
    messages = [
        Message(message_id=f"m{number}", group_id="g", sender=sender, text=INSULT, sent_at=NOW) for number in range(2)
    ]
    evidence = gather_evidence(messages, [EVERY_POLICY] * 2, Lexicon.empty(), NOW.date())
    add_likeness(evidence, messages, [Policy("a", 1, WITHOUT), Policy("b", 1, WITH)], load_shipped_classifier)
    assert [found.resemblance is not None for found in evidence] == [False, True]
    add_likeness(evidence, messages, [Policy("a", 1, WITHOUT)] * 2, never_loaded)


def test_a_text_that_is_tried_is_classified_as_well() -> None:
    policy = Policy("default", 1, WITH)
    rulebook = Rulebook(PolicySnapshot({"default": policy}, {}), Lexicon.empty(), "none", {})
    decision, _ = try_text(rulebook, INSULT, None, NOW, load_shipped_classifier)
    assert decision.verdict is Verdict.REVIEW


def test_a_policy_with_nothing_but_the_classifier_does_something() -> None:
    names = ("flood", "duplicate", "links", "contacts", "personal_data", "announcements")
    alone = WITH.model_copy(update=dict.fromkeys(names))
    assert list(alone.list_faults()) == []
