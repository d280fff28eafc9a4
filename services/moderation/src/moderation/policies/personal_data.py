"""What policies hold of people: nothing."""

from moderation.policies.store import POLICY_VERSIONS, STAMPS

NOTHING_HELD = {
    POLICY_VERSIONS.versions: "policies, with the staff who wrote and approved them",
    POLICY_VERSIONS.heads: "which versions of policies are in force",
    STAMPS: "numbers that rise with changes",
}
