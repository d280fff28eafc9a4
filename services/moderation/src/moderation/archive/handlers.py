"""What other slices ask of the archive: keep messages, find them, note recalls and days of expiry."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from huiqun.contracts.moderation import Screened
from huiqun.runtime.errors import NotFoundError
from huiqun.store import Cursor, Reader
from huiqun.work import Work
from moderation.archive import store
from moderation.archive.model import (
    ArchivedMessage,
    ArchiveEntry,
    ArchivePlace,
    MessageRef,
    MessageSearch,
    PersonalDataToken,
    ReplayPeriod,
    RevisionKey,
)

_PAGE: Final = 500


class MessageNotArchivedError(NotFoundError):
    """There is no such message in the archive."""


class AmbiguousMessageError(ValueError):
    """Several groups have a message of this id: say which group is meant."""


async def archive_messages(work: Work, entries: Sequence[ArchiveEntry]) -> None:
    """Keep judged messages."""
    await store.insert_messages(work, entries)


async def mark_messages_recalled(work: Work, recalls: Mapping[RevisionKey, str]) -> None:
    """Note who withdrew which message (key to member id); the record stays."""
    await store.mark_messages_recalled(work, recalls)


async def set_expiry_date(work: Work, keys: Sequence[str], expires_on: datetime | None) -> None:
    """Let messages expire on a day, or not at all."""
    await store.set_expiry_date(work, keys, expires_on)


async def get_revisions(reader: Reader, message_id: str, group_id: str | None) -> list[ArchivedMessage]:
    """The revisions of the one message of this id, in the group if one is named, the latest last.

    Raises MessageNotArchivedError, AmbiguousMessageError.
    """
    found = await store.list_messages_of_id(reader, message_id, group_id)
    if not found:
        raise MessageNotArchivedError(message_id)
    if len(found) > 1:
        raise AmbiguousMessageError(message_id)
    return found[0]


async def find_revisions(reader: Reader, refs: Collection[MessageRef]) -> dict[MessageRef, list[ArchivedMessage]]:
    """The archived revisions of each of these messages that has any, by message, the latest last."""
    return await store.find_revisions(reader, refs)


async def find_latest_revisions(reader: Reader, refs: Collection[MessageRef]) -> dict[MessageRef, Screened]:
    """What was made known of the last revision of each of these messages that has any, by message."""
    found = await store.find_revisions(reader, refs)
    return {ref: revisions[-1].to_screened() for ref, revisions in found.items()}


async def list_messages(
    reader: Reader, search: MessageSearch, after: ArchivePlace | None, limit: int
) -> list[ArchivedMessage]:
    """Messages of a group in the order they were sent, after a place."""
    return await store.list_messages(reader, search, after, limit)


async def read_message_pages(
    reader: Reader, search: MessageSearch, after: ArchivePlace | None
) -> AsyncIterator[list[ArchivedMessage]]:
    """Messages of a group in the order they were sent, after a place, page by page to the last."""
    page = await store.list_messages(reader, search, after, _PAGE)
    while page:
        yield page
        page = await store.list_messages(reader, search, page[-1].place, _PAGE) if len(page) == _PAGE else []


async def count_messages(reader: Reader, search: MessageSearch) -> int:
    """How many messages a search finds."""
    return await store.count_messages(reader, search)


async def count_verdicts(reader: Reader, search: MessageSearch) -> dict[str, int]:
    """How many messages of a group were judged how, by verdict."""
    return await store.count_verdicts(reader, search)


async def list_messages_of_keys(reader: Reader, keys: Sequence[str]) -> list[ArchivedMessage]:
    """The messages of these keys, as far as they are still here; in the order of the keys given."""
    return await store.list_messages_of_keys(reader, keys)


async def list_messages_with_token(
    reader: Reader, tokens: Sequence[PersonalDataToken], after: ArchivePlace | None, limit: int
) -> list[ArchivedMessage]:
    """The messages with this personal data, in order of time over all groups; `tokens` are of one kind."""
    return await store.list_messages_with_token(reader, tokens, after, limit)


def read_original_keys(reader: Reader, search: MessageSearch) -> AsyncIterator[list[str]]:
    """The keys of messages of a group, edits left out, many at a time."""
    return store.read_original_keys(reader, search)


async def list_group_ids(reader: Reader, after: str | None, limit: int) -> list[str]:
    """The groups that have messages, by id, after the given one."""
    return await store.list_group_ids(reader, after, limit)


async def list_all_group_ids(reader: Reader) -> list[str]:
    """Every group that has messages, by id."""
    found: list[str] = []
    while page := await store.list_group_ids(reader, found[-1] if found else None, _PAGE):
        found += page
    return found


async def count_replayed_messages(reader: Reader, period: ReplayPeriod) -> int:
    """How many messages the period has, without what was before it."""
    return await store.count_replayed_messages(reader, period)


def open_replay(reader: Reader, period: ReplayPeriod) -> Cursor:
    """Read the messages of the period and of what was before it, group by group and in the order they were sent."""
    return store.open_replay(reader, period)
