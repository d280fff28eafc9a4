"""The rule of the group's mode: quiet lets short questions to staff through, lockdown nothing but staff."""

from collections.abc import Iterator

from huiqun.contracts.channel import Message
from huiqun.contracts.moderation import GroupMode, Verdict
from moderation.groups.model import ModeSpan
from moderation.screening.model.finding import Finding, finding

MODE_RULE = "mode"
_SHORT = 60


def from_mode(mode: ModeSpan, message: Message) -> Iterator[Finding]:
    """What a customer's message breaks by being sent now; it is no offence, and severer findings come before it."""
    if not mode.covers(message):
        return
    if mode.mode is GroupMode.LOCKDOWN:
        yield finding(MODE_RULE, mode.mode.value, 1, Verdict.BLOCK)
    elif mode.mode is GroupMode.QUIET and not _asks_staff(mode, message):
        yield finding(MODE_RULE, mode.mode.value, 1, Verdict.WARN)


def _asks_staff(mode: ModeSpan, message: Message) -> bool:
    """Whether it is short and mentions staff; where nobody has named the staff, whoever is mentioned counts."""
    if len(message.text) > _SHORT or not message.mentions:
        return False
    return not mode.staff or not mode.staff.isdisjoint(message.mentions)
