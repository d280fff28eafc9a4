"""A scene of the morning: what people do, what should come of it, and what that shows."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from demo.check import CheckResult
from demo.people.morning import LoggedDeed, Morning


@dataclass(frozen=True, slots=True)
class Scene:
    """`play` does it and says what speaks against the claim; `shows` are ids of capabilities."""

    claim: str
    play: Callable[[Morning], AsyncIterator[str]]
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlayedScene:
    """What came of a scene, and what was done in it."""

    check: CheckResult
    deeds: Sequence[LoggedDeed]
