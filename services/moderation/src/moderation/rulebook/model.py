"""A snapshot of everything a judgement needs besides the message and the member's standing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from huiqun.contracts.channel import GroupKind
from moderation.lexicon.matching.matcher import Lexicon
from moderation.policies.model import Policies, Policy
from moderation.retention.model import NO_HOLDS, OpenHolds


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Immutable: a batch is judged by one of them from its first message to its last.

    `bits` gives each category of the lexicon its bit; a policy's mask has the bits of the categories it acts on.
    `holds` are the legal holds that are open.
    """

    policies: Policies
    lexicon: Lexicon
    lexicon_version: str
    bits: Mapping[str, int]
    holds: OpenHolds = NO_HOLDS
    _masks: dict[tuple[str, int, str | None, GroupKind], int] = field(default_factory=dict)

    def mask_of(self, policy: Policy) -> int:
        """The bits of the categories that the policy acts on."""
        known = self._masks.get(policy.key)
        if known is None:
            chosen = [rule.categories for rule in (policy.rules.lexicon, policy.rules.staff) if rule is not None]
            wanted = {category for rule in chosen for category, outcome in rule.items() if outcome is not None}
            known = self._masks[policy.key] = sum(self.bits.get(category, 0) for category in wanted)
        return known


EMPTY = Rulebook(Policies({}, {}), Lexicon.empty(), "none", {})
