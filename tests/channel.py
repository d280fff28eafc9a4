"""Events as a channel would produce them, and verdicts on them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from huiqun.contracts.channel import EditedMessage, Message, MessageEdited, MessageReceived, Role, Sender
from huiqun.contracts.moderation import MessageScreened, Screened, Verdict

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # in Shanghai


def message(
    number: int, group: str = "g1", member: str = "u1", text: str = "你好", sent_at: datetime | None = None
) -> MessageReceived:
    """A customer's message; its id follows from `number`."""
    at = sent_at or datetime.now(UTC)
    sender = Sender(member_id=member, role=Role.CUSTOMER)
    data = Message(message_id=f"m{number:05}", group_id=group, sender=sender, text=text, sent_at=at)
    return MessageReceived.about(group, data, time=at)


def edit(original: MessageReceived, text: str, revision: int = 1) -> MessageEdited:
    """The same message with another text."""
    data = EditedMessage(**original.data.model_dump(exclude={"text"}), text=text, revision=revision)
    return MessageEdited.about(original.data.group_id, data, time=original.time)


def verdict_on(event: MessageReceived) -> MessageScreened:
    """The message, allowed."""
    data = Screened(
        message_id=event.data.message_id,
        group_id=event.data.group_id,
        member_id=event.data.sender.member_id,
        role=event.data.sender.role,
        verdict=Verdict.ALLOW,
        policy_version="default@1",
        lexicon_version="test",
        masked_text=event.data.text,
        sent_at=event.data.sent_at,
    )
    return MessageScreened.about(event.data.group_id, data, time=event.time, cause=event)


def ids(events: Sequence[MessageReceived]) -> list[str]:
    """The message ids, in order."""
    return [event.data.message_id for event in events]
