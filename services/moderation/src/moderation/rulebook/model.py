"""A snapshot of everything a judgement needs besides the message and the member's standing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from moderation.lexicon.model.matching import Lexicon
from moderation.policies.model import Policies, Policy


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Immutable: a batch is judged by one of them from its first message to its last.

    `bits` gives each category of the lexicon its bit; a policy's mask has the bits of the categories it acts on.
    """

    policies: Policies
    lexicon: Lexicon
    lexicon_version: str
    bits: Mapping[str, int]
    _masks: dict[tuple[str, int], int] = field(default_factory=dict)

    def mask_of(self, policy: Policy) -> int:
        """The bits of the categories that the policy acts on."""
        known = self._masks.get((policy.id, policy.version))
        if known is None:
            staff = policy.rules.staff.categories if policy.rules.staff else ()
            known = sum(self.bits.get(category, 0) for category in {*policy.rules.lexicon.categories, *staff})
            self._masks[policy.id, policy.version] = known
        return known


EMPTY = Rulebook(Policies({}, {}), Lexicon.empty(), "none", {})
