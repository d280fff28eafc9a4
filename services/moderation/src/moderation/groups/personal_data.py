"""What groups hold of people, beside the directory: nothing."""

from moderation.groups.store import GROUPS, REVISIONS

NOTHING_HELD = {
    GROUPS: "the policy and the mode of groups",
    REVISIONS: "numbers that rise with changes",
}
