"""Exceptions to a rule: granted to a member or a whole group, with an end."""

from dataclasses import dataclass
from datetime import datetime

from huiqun.contracts.moderation import Reason

#: What exceptions can be granted from: the rules that messages are judged by.
RULES = frozenset(
    {
        "quota",
        "length",
        "oversize",
        "flood",
        "duplicate",
        "quiet_hours",
        "links",
        "contacts",
        "personal_data",
        "kinds",
        "probation",
        "announcements",
        "lexicon",
        "staff",
        "classifier",
    }
)
# Rules whose findings fall in several categories; all others have one of their own.
_WITH_CATEGORIES = frozenset({"lexicon", "staff", "personal_data"})


def is_known(rule: str) -> bool:
    """Whether there is such a rule, "lexicon" or "lexicon/ads"; a category where the rule has none excepts nobody."""
    name, slash, _ = rule.partition("/")
    return name in (_WITH_CATEGORIES if slash else RULES)


@dataclass(frozen=True, slots=True)
class RuleException:
    """`rule` does not hold in a group, or only for one of its members, for what is sent before `until`.

    "lexicon" means all its words, "lexicon/ads" those of one category; and so with every rule that has categories.
    """

    rule: str
    member_id: str | None
    until: datetime

    def covers(self, reason: Reason, member_id: str, sent_at: datetime) -> bool:
        """Whether a finding on what the member sent then is excused."""
        rule, _, category = self.rule.partition("/")
        return (
            rule == reason.rule
            and category in ("", reason.category)
            and self.member_id in (None, member_id)
            and sent_at < self.until
        )
