"""Which message is meant: its id is unique within its group, and a group's within its channel."""

from typing import Final, NamedTuple

# Ids hold no slash; a channel's name may, and stands last.
_SLASH: Final = "/"
_AFTER_SLASH: Final = "0"


class MessageRef(NamedTuple):
    """A message; without a channel, the one of whatever channel."""

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
        """The key that `str` has written."""
        message_id, group_id, revision, channel = key.split(_SLASH, 3)
        return cls(message_id, group_id, int(revision), channel)

    def __str__(self) -> str:
        """The key as the document's id."""
        return key_of(*self)


def key_of(message_id: str, group_id: str, revision: int, channel: str) -> str:
    """What `RevisionKey` is as text: the document's id."""
    return f"{message_id}/{group_id}/{revision}/{channel}"


def range_of(message_id: str, group_id: str | None = None) -> tuple[str, str]:
    """The bounds, themselves outside, of the keys of a message's revisions, in one group or in all of them."""
    prefix = message_id if group_id is None else f"{message_id}/{group_id}"
    return prefix + _SLASH, prefix + _AFTER_SLASH
