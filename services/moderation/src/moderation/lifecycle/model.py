"""Who may change a message, and what is known of one whose changes come in any order. No input or output."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from huiqun.contracts.channel import MessageEdited, MessageReceived
from moderation.archive.model import MessageRef

#: How many people may have changed a message before it comes: one did, and others were mistaken.
MAX_CHANGERS: Final = 5
#: How many messages of a group may have changes that came before them.
MAX_EARLY: Final = 1_000

Group = str
Member = str
StaffMembers = frozenset[tuple[Group, Member]]


class RevisionState(NamedTuple):
    """Where a revision stands: whether a later one has come before it, and who has withdrawn the message, if anybody.

    What nobody sees any more need not be deleted.
    """

    superseded: bool = False
    recalled_by: Member | None = None

    @property
    def is_shown(self) -> bool:
        """Whether members see this text now."""
        return not self.superseded and self.recalled_by is None


@dataclass(slots=True)
class MessageHistory:
    """A message that has come: its author, the latest revision of it, and who has withdrawn it."""

    author: Member
    revision: int
    recalled_by: Member | None = None


@dataclass(slots=True)
class EarlyChanges:
    """What came before its message: the latest revision of each editor, and everybody who has recalled it."""

    ref: MessageRef
    edits: dict[Member, int] = field(default_factory=dict)
    recalls: list[Member] = field(default_factory=list)

    def note_edit(self, member_id: Member, revision: int) -> bool:
        """Remember an edit; returns whether a later one of the same editor has come before it."""
        latest = self.edits.get(member_id, 0)
        if latest or len(self.edits) < MAX_CHANGERS:
            self.edits[member_id] = max(revision, latest)
        return latest > revision

    def note_recall(self, member_id: Member) -> None:
        """Remember a recall."""
        if member_id not in self.recalls and len(self.recalls) < MAX_CHANGERS:
            self.recalls.append(member_id)

    def recallers_besides(self, author: Member) -> Iterator[tuple[Group, Member]]:
        """Those who have recalled it without being its author: they count if they are staff of its group."""
        return ((self.ref.group_id, member) for member in self.recalls if member != author)

    def find_valid_recaller(self, author: Member, staff: StaffMembers) -> Member | None:
        """Whose recall counts, of those that came."""
        found = (each for each in self.recalls if each == author or (self.ref.group_id, each) in staff)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class EarlyChangeUpdate:
    """What a batch changes in what is remembered of messages that have not come.

    `waiting` came before their messages, of which those of `known` are remembered already; `arrived` have come now.
    """

    waiting: Collection[EarlyChanges] = ()
    known: frozenset[MessageRef] = frozenset()
    arrived: Collection[MessageRef] = ()


def message_ref_of(event: MessageReceived | MessageEdited) -> MessageRef:
    """The message that the event is about."""
    return MessageRef(event.data.message_id, event.data.group_id, event.source)
