"""A rule that was broken, and what its policy wants done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from huiqun.contracts.moderation import Reason, Verdict
from moderation.lexicon.model.matching import Hit
from moderation.policies.sections.section import Outcome
from moderation.screening.model.contacts import Span

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


def finding(rule: str, category: str, severity: int, outcome: Outcome, spans: Sequence[Span] = ()) -> Finding:
    """A finding that is certain."""
    places = tuple((span.start, span.end) for span in spans if span.end)
    return Finding(Reason(rule=rule, category=category, severity=severity, confidence=1.0, spans=places), outcome)


def found_at(rule: str, category: str, severity: int, find: tuple[float, int, int], outcome: Outcome) -> Finding:
    """A finding with a confidence and a place, (confidence, start, end)."""
    confidence, start, end = find
    spans = ((start, end),)
    return _within_its_confidence(
        Reason(rule=rule, category=category, severity=severity, confidence=confidence, spans=spans), outcome
    )


def found_word(rule: str, hit: Hit, outcome: Outcome) -> Finding:
    """A finding that names the word and how it was written."""
    reason = Reason(
        rule=rule,
        category=hit.category,
        severity=hit.severity,
        confidence=hit.confidence,
        spans=((hit.start, hit.end),),
        word=hit.word_id,
        stream=hit.stream.value,
    )
    return _within_its_confidence(reason, outcome)


def _within_its_confidence(reason: Reason, outcome: Outcome) -> Finding:
    """A likeness is never blocked by itself."""
    likeness = outcome is Verdict.BLOCK and reason.confidence < EXACT
    return Finding(reason, Verdict.REVIEW if likeness else outcome)
