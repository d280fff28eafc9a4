"""A rule that was broken, and what its policy wants done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from huiqun.contracts.moderation import Reason, Verdict
from moderation.policies.model import Outcome
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
    """A finding with a confidence and a place, (confidence, start, end); a likeness is never blocked by itself."""
    confidence, start, end = find
    reason = Reason(rule=rule, category=category, severity=severity, confidence=confidence, spans=((start, end),))
    if outcome is Verdict.BLOCK and confidence < EXACT:
        return Finding(reason, Verdict.REVIEW)
    return Finding(reason, outcome)
