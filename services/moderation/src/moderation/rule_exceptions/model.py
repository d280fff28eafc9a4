"""Exceptions to a rule: asked for, approved and taken back, for a member or a whole group, with an end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.runtime.errors import NotFoundError
from huiqun.versions.model import ApprovalRecord, Content, content_hash_of
from moderation.groups.model import RuleException
from moderation.policies.sections.rules import RULE_NAMES

# Rules whose findings fall in several categories; all others have one of their own.
_WITH_CATEGORIES: Final = frozenset({"lexicon", "staff", "personal_data"})


class RuleExceptionNotFoundError(NotFoundError):
    """There is no exception of this id."""


class InvalidRuleExceptionError(ValueError):
    """An exception is from a rule there is, and ends within a year from now."""


@dataclass(frozen=True, slots=True)
class RuleExceptionCommand:
    """A rule is not to hold for a member, or for a whole group, until then."""

    group_id: str
    member_id: str | None
    rule: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ExceptionGrant:
    """An exception as people see it; without a member it is for the whole group.

    `granted_by` asked for it; it holds from its approval on.
    """

    id: str
    group_id: str
    exception: RuleException
    reason: str
    granted_by: str
    granted_at: datetime
    approval: ApprovalRecord
    revoked_by: str | None = None
    revoked_at: datetime | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 of what is to be approved."""
        content: Content = {
            "group_id": self.group_id,
            "member_id": self.exception.member_id,
            "rule": self.exception.rule,
            "until": round(self.exception.until.timestamp() * 1_000),
            "reason": self.reason,
        }
        return content_hash_of(content)


def is_rule_name(rule: str) -> bool:
    """Whether there is such a rule, "lexicon" or "lexicon/ads"; a category where the rule has none excepts nobody."""
    name, slash, _ = rule.partition("/")
    return name in (_WITH_CATEGORIES if slash else RULE_NAMES)
