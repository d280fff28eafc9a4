"""What policies hold of people: nothing."""

from collections.abc import Mapping
from typing import Final

from moderation.policies.store import POLICY_VERSIONS, STAMPS

NOTHING_HELD: Final[Mapping[str, str]] = {
    POLICY_VERSIONS.versions: "policies, with the staff who wrote and approved them",
    POLICY_VERSIONS.heads: "which versions of policies are in force",
    STAMPS: "numbers that rise with changes",
}
