"""What members say over the interface, in groups that no other test knows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from huiqun.contracts.channel import MessageEdited, MessageReceived
from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON, message_received
from tests.moderation.interface import Interface


def group_id() -> str:
    return f"g-{new_id()}"


def said(group: str, *texts: str, member: str = "u1", sent_at: datetime | None = None) -> list[MessageReceived]:
    """Messages of a member, a second apart; the ids begin with the group's."""
    start = sent_at or NOON
    events = []
    for number, text in enumerate(texts):
        event = message_received(number, group, member, text, start + timedelta(seconds=number))
        data = event.data.model_copy(update={"message_id": f"{group}-{member}-{number}"})
        events.append(event.model_copy(update={"data": data}))
    return events


async def judge(interface: Interface, events: Sequence[MessageReceived | MessageEdited]) -> None:
    await interface.rig.deliver(*events)
