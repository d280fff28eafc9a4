"""What a group changes in its policy."""

from dataclasses import dataclass

from huiqun.versions.model import VersionNotFoundError
from moderation.policies.sections.rules import Rules


class OwnRulesNotFoundError(VersionNotFoundError):
    """The group's own rules have no such version."""


@dataclass(frozen=True, slots=True)
class OwnRulesCommand:
    """A group is to have these rules of its own over its policy; of `rules`, what was set counts."""

    rules: Rules
    reason: str
    actor: str
    four_eyes: bool = True
