"""What the archive knows a message by, what it has of it, and what stands for the personal data in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from huiqun.contracts.moderation import Screened
from huiqun.privacy.detection import PersonalData, PersonalDataKind, canonical_value, find_personal_data
from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.masking import keyed_hash

# Ids hold no slash; a channel's name may, and stands last.
_SLASH: Final = "/"
_AFTER_SLASH: Final = "0"
#: Of an archived document, the fields that say what a message refers to.
CONTEXT_FIELDS: Final = frozenset({"mentions", "reply_to", "quoted"})


class MessageRef(NamedTuple):
    """A message: its id is unique within its group, and a group's within its channel. Without one, of any channel."""

    message_id: str
    group_id: str
    channel: str | None = None


class RevisionKey(NamedTuple):
    """A revision of a message: 0 as first sent, rising with each edit."""

    message_id: str
    group_id: str
    revision: int
    channel: str

    @property
    def ref(self) -> MessageRef:
        """The message."""
        return MessageRef(self.message_id, self.group_id, self.channel)

    @classmethod
    def parse(cls, key: str) -> "RevisionKey":
        """Read the key that `str` has written."""
        message_id, group_id, revision, channel = key.split(_SLASH, 3)
        return cls(message_id, group_id, int(revision), channel)

    def __str__(self) -> str:
        """Write the key as the document's id."""
        return format_revision_key(*self)


def format_revision_key(message_id: str, group_id: str, revision: int, channel: str) -> str:
    """Write what `RevisionKey` is as text: the document's id."""
    return f"{message_id}/{group_id}/{revision}/{channel}"


def revision_key_bounds(message_id: str, group_id: str | None = None) -> tuple[str, str]:
    """The bounds, themselves outside, of the keys of a message's revisions, in one group or in all of them."""
    prefix = message_id if group_id is None else f"{message_id}/{group_id}"
    return prefix + _SLASH, prefix + _AFTER_SLASH


@dataclass(frozen=True, slots=True)
class PersonalDataToken:
    """Stands for one value of a kind: equal values have equal hashes, and without the key nobody can tell which."""

    kind: PersonalDataKind
    hash: str


class NoPersonalDataError(ValueError):
    """The value is not of this kind: no message can have been found to hold it."""


def tokenize_findings(text: str, finds: Iterable[PersonalData], hash_key: bytes) -> tuple[PersonalDataToken, ...]:
    """Make a token for each different value that was found in the text."""
    found = (PersonalDataToken(find.kind, keyed_hash(canonical_value(text, find), hash_key)) for find in finds)
    return tuple(dict.fromkeys(found))


def tokenize_value(value: str, kind: PersonalDataKind, hash_key: RotatingKey) -> tuple[PersonalDataToken, ...]:
    """Make the tokens of a value, in whatever spelling, under the present key and the one before.

    Raises NoPersonalDataError.
    """
    finds = [find for find in find_personal_data(value) if find.kind is kind]
    if len(finds) != 1:
        raise NoPersonalDataError(kind.value)
    return tuple(tokenize_findings(value, finds, known)[0] for known in hash_key.accepted_keys)


class ArchiveEntry(NamedTuple):
    """A judged message to archive; without `expires_on` it is kept until somebody lifts the hold on it.

    `recalled_by` is who withdrew it before it came.
    """

    screened: Screened
    archived_at: datetime
    expires_on: datetime | None
    personal: tuple[PersonalDataToken, ...] = ()
    recalled_by: str | None = None


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """Which messages of a group are wanted; what is None does not matter. `fields` are all that is read of them."""

    group_id: str
    since: datetime | None = None
    until: datetime | None = None
    member_id: str | None = None
    verdict: str | None = None
    fields: tuple[str, ...] | None = None


class ArchivePlace(NamedTuple):
    """Where a message stands in its group: by time, and by key among those of the same moment."""

    sent_at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class ReplayPeriod:
    """What was sent from `since` and before `until`, in these groups or in all; `warm_up` is where reading begins."""

    warm_up: datetime
    since: datetime
    until: datetime
    groups: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """A revision of a message, as its document has it."""

    document: Mapping[str, Any]

    @property
    def key(self) -> RevisionKey:
        """Which revision of which message it is."""
        return RevisionKey.parse(self.document["_id"])

    @property
    def message_id(self) -> str:
        """The message's id, within its group."""
        return self.key.message_id

    @property
    def revision(self) -> int:
        """0 as first sent."""
        return self.key.revision

    @property
    def place(self) -> ArchivePlace:
        """Where it stands in its group."""
        return ArchivePlace(self.document["sent_at"], self.document["_id"])

    def to_screened(self) -> Screened:
        """What was made known of it when it was judged."""
        document, key = self.document, self.key
        return Screened(
            channel=key.channel,
            message_id=key.message_id,
            revision=key.revision,
            group_id=document["group_id"],
            member_id=document["member_id"],
            role=document["role"],
            kind=document["kind"],
            verdict=document["verdict"],
            reasons=document.get("reasons", ()),
            policy_version=document["policy"],
            lexicon_version=document["lexicon"],
            masked_text=document["text"],
            left_out=document.get("left_out", 0),
            sent_at=document["sent_at"],
            **{name: document[name] for name in CONTEXT_FIELDS.intersection(document)},
        )
