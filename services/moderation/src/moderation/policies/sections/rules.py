"""The rules of a policy: all its sections together."""

from collections.abc import Iterator
from typing import Final, get_args

from pydantic import Field

from moderation.policies.sections.content_rules import (
    AnnouncementRule,
    ClassifierRule,
    ContactRule,
    KindRule,
    LinkRule,
    PersonalDataRule,
    ProbationRule,
)
from moderation.policies.sections.ladder import Ladder
from moderation.policies.sections.lexicon_rules import LexiconRule, StaffRule
from moderation.policies.sections.limit_rules import (
    DuplicateRule,
    FloodRule,
    LengthRule,
    OversizeRule,
    QuietHours,
    QuotaRule,
)
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.message_rule import Rule
from moderation.policies.sections.retention import RetentionRule
from moderation.policies.sections.review import ReviewRule
from moderation.policies.sections.section import PolicyFault, PolicySection
from moderation.policies.sections.wording import Wording


class Rules(PolicySection):
    """The rules of a policy; one that is null is off.

    Every field has a default, in every section: whoever writes a policy says what is to be other than in the one it
    inherits from, and leaves out the rest.
    """

    quota: QuotaRule | None = Field(default=None, description="Daily quota of messages of a member; null for none.")
    length: LengthRule | None = Field(default=None, description="Greatest length of a message; null for no limit.")
    oversize: OversizeRule | None = Field(
        default=OversizeRule(), description="Review of messages that are too long to be judged as a whole."
    )
    flood: FloodRule | None = Field(default=FloodRule(), description="Limit of messages in quick succession.")
    duplicate: DuplicateRule | None = Field(
        default=DuplicateRule(), description="Limit of repetitions of the same text."
    )
    quiet_hours: QuietHours | None = Field(
        default=None, description="Hours in which customers do not write; null for none."
    )
    links: LinkRule | None = Field(default=LinkRule(), description="Links that are allowed in messages.")
    contacts: ContactRule | None = Field(default=ContactRule(), description="Offers of contact outside the group.")
    personal_data: PersonalDataRule | None = Field(
        default=PersonalDataRule(), description="ID cards, bank cards, telephone numbers, addresses."
    )
    kinds: KindRule | None = Field(default=None, description="Kinds of messages that customers may not send.")
    probation: ProbationRule | None = Field(default=None, description="What newcomers to the group may not do yet.")
    announcements: AnnouncementRule | None = Field(
        default=AnnouncementRule(), description="Announcements that look official and are not from staff."
    )
    staff: StaffRule | None = Field(default=StaffRule(), description="Words that staff may not use.")
    lexicon: LexiconRule | None = Field(
        default=LexiconRule(), description="Words of the lexicon, and what each category leads to."
    )
    classifier: ClassifierRule | None = Field(
        default=None, description="Review of messages that resemble abuse as a whole."
    )
    ladder: Ladder = Field(
        default=Ladder(), description="Ladder of sanctions: how offences add up to mutes and a removal."
    )
    membership: MembershipRules = Field(
        default=MembershipRules(), description="Welcome, consent, posting of the rules, roster, leaving."
    )
    review: ReviewRule = Field(
        default=ReviewRule(), description="Review by people: how cases are decided, reported and appealed against."
    )
    wording: Wording = Field(default=Wording(), description="Texts that members and staff are sent.")
    retention: RetentionRule = Field(default=RetentionRule(), description="How long messages of the group are kept.")

    @property
    def lets_everything_pass(self) -> bool:
        """Whether nothing that customers write is judged by anything but its size."""
        rules = (getattr(self, name) for name in RULE_NAMES - _NEVER_ALONE)
        words = self.lexicon.categories.values() if self.lexicon else ()
        return all(rule is None for rule in rules) and all(outcome is None for outcome in words)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find everything that speaks against putting these rules in force; nothing for rules that make sense."""
        if self.lets_everything_pass:
            yield PolicyFault((), "Every rule is off: this policy would let everything pass.")
        yield from super().list_faults()


def _judges_messages(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Rule)


#: The names of the rules that messages are judged by.
RULE_NAMES: Final = frozenset(
    name for name, field in Rules.model_fields.items() if any(map(_judges_messages, get_args(field.annotation)))
)
# A policy of nothing but these lets everything pass; words count only if something follows from them.
_NEVER_ALONE: Final = frozenset({"oversize", "staff", "lexicon"})
