"""A morning at work: who is there, what they do and say, and what they note of it."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final, TypeVar

from demo.people.api_user import Answer, ApiUser
from demo.story.model import Joins, Says
from demo.story.morning import CHATS
from demo.story.script import CHATS as ALL_CHATS
from demo.story.script import DayStep, EventWriter
from huiqun.contracts.channel import ActionKind
from huiqun.contracts.moderation import SanctionKind
from local.channel import Transcript
from local.system import System

_PATIENCE_SECONDS: Final = 30.0
_EVERY_SECONDS: Final = 0.05
# Numbers of the day's messages stay below.
_FIRST_NUMBER: Final = 500
_LINK: Final = re.compile(r"https?://\S+")
T = TypeVar("T")


class OutcomeMissingError(Exception):
    """Something that should have come of what somebody did has not come in time."""


@dataclass(frozen=True, slots=True)
class LoggedDeed:
    """What somebody did, and what came of it."""

    who: str
    did: str
    came: str


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A span of time, as queries name it."""

    since: datetime
    until: datetime

    @property
    def query(self) -> dict[str, str]:
        """The parameters of a request."""
        return {"from": self.since.isoformat(), "to": self.until.isoformat()}


@dataclass(slots=True)
class Morning:
    """`mei` moderates, `fang` may do everything, `duty` stands in, `su` supervises.

    `deeds` and `steps` are what they leave behind; `day` is the day before, whose messages they look at.

    `sanctions` counts those that a person imposed, by message and kind; `closed` are the cases that they decided.
    """

    system: System
    mei: ApiUser
    fang: ApiUser
    duty: ApiUser
    su: ApiUser
    day: TimeSpan
    deeds: list[LoggedDeed] = field(default_factory=list)
    steps: list[DayStep] = field(default_factory=list)
    sanctions: Counter[tuple[str, str]] = field(default_factory=Counter)
    closed: dict[str, str] = field(default_factory=dict)
    _scribes: dict[str, EventWriter] = field(
        default_factory=lambda: {name: EventWriter(chat, _FIRST_NUMBER) for name, chat in CHATS.items()}
    )

    @property
    def transcript(self) -> Transcript:
        """What the channel remembers."""
        return self.system.channel.transcript

    def log_deed(self, who: ApiUser | str, did: str, came: str) -> None:
        """Remember what somebody did, to be shown."""
        self.deeds.append(LoggedDeed(who.short_name if isinstance(who, ApiUser) else who, did, came))

    def short_name_of(self, member_id: str) -> str:
        """What somebody is called, without what they do."""
        people = (chat.cast[member_id] for chat in ALL_CHATS if member_id in chat.cast)
        return next(people).name.partition("-")[0]

    def wait_for_sanction(self, case: Answer, kind: SanctionKind) -> None:
        """A person's decision leads to a sanction."""
        self.sanctions[case["message_id"], kind.value] += 1

    async def play_entry(self, group_id: str, entry: Says | Joins) -> DayStep:
        """Something happens in a group, now."""
        step = self._scribes[group_id].write_entry(entry, datetime.now(UTC))
        self.steps.append(step)
        await self.system.channel.deliver(step.record, step.event, step.at)
        return step

    async def post_message(self, group_id: str, entry: Says) -> Answer:
        """Somebody writes in a group; returns how it was judged."""
        step = await self.play_entry(group_id, entry)
        judged = await self.wait_for(lambda: self.mei.find(f"/messages/{step.key}"), f"{step.key} to be judged")
        revision: Answer = judged["revisions"][-1]
        return revision

    async def find_case(self, **query: str) -> Answer:
        """The oldest open case of this description."""

        async def look() -> Any:  # noqa: ANN401 (JSON)
            found = (await self.mei.read("/cases", **query))["items"]
            return found[0] if found else None

        case: Answer = await self.wait_for(look, f"a case of {query}")
        return case

    async def wait_for_action(self, kind: ActionKind, said: str = "", **wanted: str) -> Answer:
        """The newest action of this kind, with these words and values, once the channel has answered."""

        async def look() -> Any:  # noqa: ANN401 (JSON)
            for action in (await self.mei.read("/actions", group_id=wanted["group_id"], limit=50))["items"]:
                fits = said in action["content"] and all(action[name] == value for name, value in wanted.items())
                if action["kind"] == kind and fits and action["state"] not in {"requested", "assigned"}:
                    return action
            return None

        action: Answer = await self.wait_for(look, f"{kind} {said} {wanted}")
        return action

    async def link_sent_to(self, member_id: str) -> str:
        """The link that a member was sent in private, which only the channel knows."""

        async def look() -> str | None:
            for action in self.transcript.asked.values():
                link = _LINK.search(action.content)
                if link is not None and (action.kind, action.target.member_id) == (ActionKind.SEND_PRIVATE, member_id):
                    return link[0]
            return None

        return await self.wait_for(look, f"{member_id} to be sent a link")

    async def seconds_until(self, group_id: str, text: str, **wanted: str) -> float:
        """How long it takes from now until a text, tried in a group, has that result."""
        began = monotonic()

        async def look() -> Any:  # noqa: ANN401 (JSON)
            trial = await self.mei.post("/lexicon/scan", {"text": text, "group_id": group_id})
            return trial if all(trial[name] == value for name, value in wanted.items()) else None

        await self.wait_for(look, f"{wanted} in {group_id}")
        return monotonic() - began

    async def wait_for(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """Look until there is something; raises OutcomeMissingError."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while (found := await look()) is None:  # noqa: ASYNC110 (a service sets no event)
                    await asyncio.sleep(_EVERY_SECONDS)
                return found
        except TimeoutError:
            raise OutcomeMissingError(f"waited {_PATIENCE_SECONDS:g} s for {what}") from None
