"""Rules about what a message says: words, personal data, links, contacts, announcements; and their findings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from huiqun.contracts.channel import Message
from huiqun.contracts.moderation import Reason, Verdict
from moderation.contacts.model import FoundSpan, list_outside_links
from moderation.evidence.model import Evidence, QuotedEvidence
from moderation.lexicon.matching.matcher import LexiconHit
from moderation.policies.sections.content_rules import AnnouncementRule
from moderation.policies.sections.rules import Rules
from moderation.policies.sections.section import Outcome

# Below this a find is a likeness, not the thing itself: it may warn and ask for a person's look, no more.
EXACT = 0.9


@dataclass(frozen=True, slots=True)
class Finding:
    """The reason and the outcome that the policy attaches to it."""

    reason: Reason
    outcome: Outcome

    @property
    def counts(self) -> bool:
        """Whether something follows from it; from the finding of a rule on trial, nothing does."""
        return not self.reason.shadow

    @property
    def is_certain(self) -> bool:
        """Whether it is the thing itself and not only like it."""
        return self.reason.confidence >= EXACT

    def on_trial(self) -> "Finding":
        """The finding as one that nothing follows from."""
        return replace(self, reason=self.reason.model_copy(update={"shadow": True}))


def make_finding(rule: str, category: str, severity: int, outcome: Outcome, spans: Sequence[FoundSpan] = ()) -> Finding:
    """A finding that is certain."""
    places = tuple((span.start, span.end) for span in spans if span.end)
    return Finding(Reason(rule=rule, category=category, severity=severity, confidence=1.0, spans=places), outcome)


def make_likely_finding(
    rule: str, category: str, severity: int, find: tuple[float, int, int], outcome: Outcome
) -> Finding:
    """A finding with a confidence and a place, (confidence, start, end)."""
    confidence, start, end = find
    spans = ((start, end),)
    return _limit_to_confidence(
        Reason(rule=rule, category=category, severity=severity, confidence=confidence, spans=spans), outcome
    )


def make_word_finding(rule: str, hit: LexiconHit, outcome: Outcome) -> Finding:
    """A finding that names the word and how it was written."""
    reason = Reason(
        rule=rule,
        category=hit.category,
        severity=hit.severity,
        confidence=hit.confidence,
        spans=((hit.start, hit.end),),
        word=hit.word_id,
        stream=hit.match_kind.value,
    )
    return _limit_to_confidence(reason, outcome)


def _limit_to_confidence(reason: Reason, outcome: Outcome) -> Finding:
    """A likeness is never blocked by itself."""
    likeness = outcome is Verdict.BLOCK and reason.confidence < EXACT
    return Finding(reason, Verdict.REVIEW if likeness else outcome)


_PERSONAL_SEVERITY = {"id_card": 5, "bank_card": 5, "mobile": 3, "email": 2}
# A person looks in the course of the day: words that are known say so sooner.
_RESEMBLANCE_SEVERITY = 2
_ANNOUNCEMENT = re.compile(
    r"^\W{0,4}[【\[〖「]?\s?(?:[^\s，。！？,]{0,10})?(?:官方|总行|分行|支行|银行|客服|群主|管理员)[^\s，。！？,]{0,6}(?:公告|通知|公示|通告|声明|提醒)"
)
# What every such heading has, within its greatest length: a look that takes a third of the time.
_NOTICE = re.compile("公告|通知|公示|通告|声明|提醒")
_LONGEST_HEADING = 27


def check_text(rules: Rules, message: Message, evidence: Evidence) -> Iterator[Finding]:
    """What a customer's text breaks."""
    if rules.lexicon is not None:
        yield from check_words("lexicon", rules.lexicon.categories, evidence, fuzzy=rules.lexicon.fuzzy)
    yield from _check_personal_data(rules, evidence)
    if rules.links is not None and evidence.links:
        strange = list_outside_links(evidence.links, rules.links.allowed_domains)
        if strange:
            yield make_finding("links", "links", 3, rules.links.verdict, strange)
    if rules.contacts is not None and evidence.contacts:
        yield make_finding("contacts", "solicitation", 3, rules.contacts.verdict, evidence.contacts)
    if rules.classifier is not None and evidence.resemblance is not None:
        place_of_all = (evidence.resemblance, 0, len(message.text))
        yield make_likely_finding("classifier", "abuse", _RESEMBLANCE_SEVERITY, place_of_all, rules.classifier.verdict)


def check_quotation(rules: Rules, message: Message, quoted: QuotedEvidence) -> Iterator[Finding]:
    """What stands in a quotation of which it is not known that somebody else has written it.

    What the sender has invented, or has written before, is their own text. Of the rest a person looks at what would
    not only be warned of.
    Places are not told: they would be read as places in the text.
    """
    for each in check_text(rules, message, quoted.found):
        if quoted.is_own or each.outcome is not Verdict.WARN:
            outcome = each.outcome if quoted.is_own else Verdict.REVIEW
            yield replace(each, reason=each.reason.model_copy(update={"spans": ()}), outcome=outcome)


def check_announcement(rule: AnnouncementRule, text: str) -> list[Finding]:
    """What a customer breaks by beginning a text as an announcement begins."""
    if _NOTICE.search(text, 0, _LONGEST_HEADING) is None or (pretended := _ANNOUNCEMENT.match(text)) is None:
        return []
    place = FoundSpan(pretended.start(), pretended.end(), "")
    return [make_finding("announcements", "announcement", 3, rule.verdict, [place])]


def check_words(
    rule: str, categories: Mapping[str, Outcome | None], evidence: Evidence, *, fuzzy: bool
) -> Iterator[Finding]:
    """What the lexicon found in categories that the rule acts on; without `fuzzy`, only what is spelt so."""
    for hit in evidence.hits:
        outcome = categories.get(hit.category)
        if outcome is not None and (fuzzy or hit.match_kind.is_exact):
            yield make_word_finding(rule, hit, outcome)


def _check_personal_data(rules: Rules, evidence: Evidence) -> Iterator[Finding]:
    if rules.personal_data is not None:
        for find in evidence.personal:
            place = (find.confidence, find.start, find.end)
            severity = _PERSONAL_SEVERITY[find.kind]
            yield make_likely_finding("personal_data", find.kind, severity, place, rules.personal_data.verdict)
