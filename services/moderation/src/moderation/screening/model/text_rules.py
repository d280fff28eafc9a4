"""Rules about what a message says: words, personal data, links, contacts, pretended announcements."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from huiqun.contracts.channel import Message
from huiqun.contracts.moderation import Verdict
from moderation.policies.sections.content_rules import AnnouncementRule
from moderation.policies.sections.rules import Rules
from moderation.policies.sections.section import Outcome
from moderation.screening.model.contacts import Span, outside
from moderation.screening.model.evidence import Evidence, QuotedEvidence
from moderation.screening.model.finding import Finding, finding, found_at, found_word

_PERSONAL_SEVERITY = {"id_card": 5, "bank_card": 5, "mobile": 3, "email": 2}
# A person looks in the course of the day: words that are known say so sooner.
_RESEMBLANCE_SEVERITY = 2
_ANNOUNCEMENT = re.compile(
    r"^\W{0,4}[【\[〖「]?\s?(?:[^\s，。！？,]{0,10})?(?:官方|总行|分行|支行|银行|客服|群主|管理员)[^\s，。！？,]{0,6}(?:公告|通知|公示|通告|声明|提醒)"
)
# What every such heading has, within its greatest length: a look that takes a third of the time.
_NOTICE = re.compile("公告|通知|公示|通告|声明|提醒")
_LONGEST_HEADING = 27


def from_text(rules: Rules, message: Message, evidence: Evidence) -> Iterator[Finding]:
    """What a customer's text breaks."""
    if rules.lexicon is not None:
        yield from from_words("lexicon", rules.lexicon.categories, evidence, fuzzy=rules.lexicon.fuzzy)
    yield from _from_personal_data(rules, evidence)
    if rules.links is not None and evidence.links:
        strange = outside(evidence.links, rules.links.allowed_domains)
        if strange:
            yield finding("links", "links", 3, rules.links.verdict, strange)
    if rules.contacts is not None and evidence.contacts:
        yield finding("contacts", "solicitation", 3, rules.contacts.verdict, evidence.contacts)
    if rules.classifier is not None and evidence.resemblance is not None:
        place_of_all = (evidence.resemblance, 0, len(message.text))
        yield found_at("classifier", "abuse", _RESEMBLANCE_SEVERITY, place_of_all, rules.classifier.verdict)


def from_quotation(rules: Rules, message: Message, quoted: QuotedEvidence) -> Iterator[Finding]:
    """What stands in a quotation of which it is not known that somebody else has written it.

    What the sender has invented, or has written before, is their own text. Of the rest a person looks at what would
    not only be warned of.
    Places are not told: they would be read as places in the text.
    """
    for each in from_text(rules, message, quoted.found):
        if quoted.is_own or each.outcome is not Verdict.WARN:
            outcome = each.outcome if quoted.is_own else Verdict.REVIEW
            yield replace(each, reason=each.reason.model_copy(update={"spans": ()}), outcome=outcome)


def from_beginning(rule: AnnouncementRule, text: str) -> list[Finding]:
    """What a customer breaks by beginning a text as an announcement begins."""
    if _NOTICE.search(text, 0, _LONGEST_HEADING) is None or (pretended := _ANNOUNCEMENT.match(text)) is None:
        return []
    place = Span(pretended.start(), pretended.end(), "")
    return [finding("announcements", "announcement", 3, rule.verdict, [place])]


def from_words(
    rule: str, categories: Mapping[str, Outcome | None], evidence: Evidence, *, fuzzy: bool
) -> Iterator[Finding]:
    """What the lexicon found in categories that the rule acts on; without `fuzzy`, only what is spelt so."""
    for hit in evidence.hits:
        outcome = categories.get(hit.category)
        if outcome is not None and (fuzzy or hit.stream.is_exact):
            yield found_word(rule, hit, outcome)


def _from_personal_data(rules: Rules, evidence: Evidence) -> Iterator[Finding]:
    if rules.personal_data is not None:
        for find in evidence.personal:
            place = (find.confidence, find.start, find.end)
            severity = _PERSONAL_SEVERITY[find.kind]
            yield found_at("personal_data", find.kind, severity, place, rules.personal_data.verdict)
