"""Everything that the checks of a day go by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.observed import ObservedRun
from demo.people.morning import Morning
from demo.story.model import Expected, Leaves, Person
from demo.story.script import DayStep
from local.channel import Transcript


@dataclass(frozen=True, slots=True)
class DayEvidence:
    """The story, what came of it, and what the channel remembers."""

    steps: Sequence[DayStep]
    seen: ObservedRun
    transcript: Transcript
    morning: Morning
    logs: Sequence[Path]

    @property
    def judged(self) -> dict[str, Expected]:
        """What each message that gets through should lead to."""
        return {step.key: step.expected for step in self.steps if step.expected is not None}

    @property
    def people(self) -> dict[tuple[str, str], Person]:
        """Who has ever been in a group, by group and member id."""
        chats = {step.chat.group.group_id: step.chat for step in self.steps}
        return {(group_id, member): person for group_id, chat in chats.items() for member, person in chat.cast.items()}

    @property
    def left(self) -> set[tuple[str, str]]:
        """Who has left a group, or was removed from it."""
        went = {(step.chat.group.group_id, step.entry.who) for step in self.steps if isinstance(step.entry, Leaves)}
        return went | self.transcript.removed
