"""What groups hold of people, beside the directory: nothing."""

from collections.abc import Mapping
from typing import Final

from moderation.groups.store import GROUPS, REVISIONS

NOTHING_HELD: Final[Mapping[str, str]] = {
    GROUPS: "the policy and the mode of groups",
    REVISIONS: "numbers that rise with changes",
}
