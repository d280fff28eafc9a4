"""What can be wrong with a wish about policies."""

from collections.abc import Sequence

from huiqun.versions.model import VersionNotFoundError
from moderation.policies.model import Objection


class UnknownPolicyError(VersionNotFoundError):
    """There is no such policy, or it has no such version."""


class UnknownOwnRulesError(VersionNotFoundError):
    """The group's own rules have no such version."""


class InactivePolicyError(ValueError):
    """The policy has no version in force, so no group can be given it."""


class UnfitPolicyError(ValueError):
    """The rules make no sense; `objections` says why."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__(" ".join(objection.reason for objection in objections))
        self.objections = tuple(objections)


class UnfitHeirsError(ValueError):
    """What inherits from it would make no sense any more."""


class UnknownExceptionError(LookupError):
    """There is no exception of this id."""


class UnfitExceptionError(ValueError):
    """An exception is from a rule there is, and ends within a year from now."""
