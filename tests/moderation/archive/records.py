"""What stands in the archive, put there without screening where a test needs much of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import Screened, Verdict
from moderation.archive.handlers import archive_messages
from moderation.archive.model import ArchivedMessage, ArchiveEntry
from moderation.archive.store import MESSAGES
from moderation.retention.model import expiry_date
from tests.moderation.rig import ModerationRig

DAYS = 365


def said(number: int, group: str, at: datetime, member: str = "u1", text: str = "您好") -> Screened:
    """A judged message whose id follows from its number."""
    return Screened(
        message_id=f"{group}-{number:05}",
        group_id=group,
        member_id=member,
        role=Role.CUSTOMER,
        verdict=Verdict.ALLOW,
        policy_version="default@0",
        lexicon_version="none",
        masked_text=text,
        sent_at=at,
    )


def spread(count: int, group: str, start: datetime, member: str = "u1") -> list[Screened]:
    """So many messages, a second apart."""
    return [said(number, group, start + timedelta(seconds=number), member) for number in range(count)]


async def archive(rig: ModerationRig, messages: Sequence[Screened]) -> None:
    """Put them there as of now, kept for as long as the built-in policy says."""
    now = rig.clock.moment
    entries = [ArchiveEntry(message, now, expiry_date(now, DAYS)) for message in messages]
    await rig.run(lambda work: archive_messages(work, entries))


async def archived(rig: ModerationRig, **query: Any) -> list[dict[str, Any]]:
    """The documents, by id."""
    return await rig.database[MESSAGES].find(query).sort("_id", 1).to_list(None)


async def expiries(rig: ModerationRig, **query: Any) -> dict[str, datetime | None]:
    """When each message expires, by id."""
    return {
        ArchivedMessage(document).message_id: document.get("expires_on") for document in await archived(rig, **query)
    }
