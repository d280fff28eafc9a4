"""What groups' own rules hold of people: nothing."""

from collections.abc import Mapping
from typing import Final

from moderation.own_rules.store import OWN_RULE_VERSIONS

NOTHING_HELD: Final[Mapping[str, str]] = {
    OWN_RULE_VERSIONS.versions: "what groups change in their policies, with the staff who wrote and approved it",
    OWN_RULE_VERSIONS.heads: "which versions of groups' own rules are in force",
}
