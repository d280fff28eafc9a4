"""Plays a day on the channel, faster than it was, and waits where in life there would be time to wait."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from demo.story.script import DayStep
from huiqun.contracts.channel import ActionKind, MessageEdited, MessageReceived, Support
from huiqun.contracts.moderation import SanctionKind
from local.channel import Channel

STEPS_A_SECOND: Final = 100
# Moderation may just be starting again.
_ANSWER_SECONDS: Final = 60.0


async def play_steps(steps: Sequence[DayStep], channel: Channel, advance: Callable[[DayStep], None]) -> None:
    """Deliver the steps in order. After an offence that is to mute somebody, wait until the channel was asked to.

    A mute that is never asked for is waited for 60 s; what then goes through shows in the checks.
    """
    mutes: Counter[tuple[str, str]] = Counter()
    loop = asyncio.get_running_loop()
    due = loop.time()
    for step in steps:
        await channel.deliver(step.record, step.event, step.at)
        advance(step)
        if _is_to_mute(step) and isinstance(step.event, MessageReceived | MessageEdited):
            member = (step.event.data.group_id, step.event.data.sender.member_id)
            mutes[member] += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await channel.wait_until_answered(ActionKind.MUTE_MEMBER, member, mutes[member])
            due = loop.time()
        due += 1 / STEPS_A_SECOND
        await asyncio.sleep(due - loop.time())


def _is_to_mute(step: DayStep) -> bool:
    able = step.chat.group.capabilities.mute is not Support.NONE
    return able and step.expected is not None and step.expected.sanction is SanctionKind.MUTE
