"""The rules of a policy: all its sections together."""

from collections.abc import Iterator
from typing import Final, get_args

from pydantic import Field

from moderation.policies.sections.ladder import Ladder
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.message_rules import (
    AnnouncementRule,
    ClassifierRule,
    ContactRule,
    DuplicateRule,
    FloodRule,
    KindRule,
    LengthRule,
    LexiconRule,
    LinkRule,
    OversizeRule,
    PersonalDataRule,
    ProbationRule,
    QuietHours,
    QuotaRule,
    Rule,
    StaffRule,
)
from moderation.policies.sections.retention import RetentionRule
from moderation.policies.sections.review import ReviewRule
from moderation.policies.sections.section import PolicyFault, PolicySection
from moderation.policies.sections.wording import Wording


class Rules(PolicySection):
    """The rules of a policy; one that is null is off.

    Every field has a default, in every section: whoever writes a policy says what is to be other than in the one it
    inherits from, and leaves out the rest.
    """

    quota: QuotaRule | None = Field(default=None, description="How many messages a day.")
    length: LengthRule | None = Field(default=None, description="How long a message may be.")
    oversize: OversizeRule | None = Field(
        default=OversizeRule(), description="What is too long to be judged as a whole."
    )
    flood: FloodRule | None = Field(default=FloodRule(), description="How many messages in quick succession.")
    duplicate: DuplicateRule | None = Field(default=DuplicateRule(), description="How often the same text.")
    quiet_hours: QuietHours | None = Field(default=None, description="When nobody writes.")
    links: LinkRule | None = Field(default=LinkRule(), description="Which links are allowed.")
    contacts: ContactRule | None = Field(default=ContactRule(), description="Offers of contact outside the group.")
    personal_data: PersonalDataRule | None = Field(
        default=PersonalDataRule(), description="ID cards, bank cards, telephone numbers, addresses."
    )
    kinds: KindRule | None = Field(default=None, description="Which kinds of messages customers may not send.")
    probation: ProbationRule | None = Field(default=None, description="What newcomers may not do yet.")
    announcements: AnnouncementRule | None = Field(
        default=AnnouncementRule(), description="What looks official and is not from staff."
    )
    staff: StaffRule | None = Field(default=StaffRule(), description="What staff may not say.")
    lexicon: LexiconRule | None = Field(default=LexiconRule(), description="Words and what they lead to.")
    classifier: ClassifierRule | None = Field(default=None, description="What resembles abuse as a whole.")
    ladder: Ladder = Field(default=Ladder(), description="How sanctions climb.")
    membership: MembershipRules = Field(
        default=MembershipRules(), description="Welcome, consent, posting of the rules, roster, leaving."
    )
    review: ReviewRule = Field(default=ReviewRule(), description="How people decide, report and appeal.")
    wording: Wording = Field(default=Wording(), description="What members and staff are told.")
    retention: RetentionRule = Field(default=RetentionRule(), description="How long what is said is kept.")

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
