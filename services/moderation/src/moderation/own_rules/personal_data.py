"""What groups' own rules hold of people: nothing."""

from moderation.own_rules.store import OWN_RULE_VERSIONS

NOTHING_HELD = {
    OWN_RULE_VERSIONS.versions: "what groups change in their policies, with the staff who wrote and approved it",
    OWN_RULE_VERSIONS.heads: "which versions of groups' own rules are in force",
}
