"""What a run has shown of what moderation can do, and where that was to be seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from local.check import Check
from local.checks import misjudged
from local.day import Day
from local.story.capabilities import CAPABILITIES
from local.story.model import Edits, Says
from local.story.script import TIMEZONE


@dataclass(frozen=True, slots=True)
class Sighting:
    """A place where something was to be seen; `holds` is whether it was as it should be there."""

    where: str
    holds: bool


def sightings(day: Day, checks: Sequence[Check]) -> Mapping[str, Sequence[Sighting]]:
    """Where each capability was to be seen: among the messages, in the scenes, by the checks afterwards."""
    found: dict[str, list[Sighting]] = {name: [] for name in CAPABILITIES}
    for shows, sighting in (*_in_messages(day), *_in_scenes(day), *_in_checks(checks)):
        for name in shows:
            found[name].append(sighting)
    return found


def _in_messages(day: Day) -> Iterator[tuple[Sequence[str], Sighting]]:
    for step in day.steps:
        entry = step.entry
        if isinstance(entry, Says | Edits) and entry.shows and step.key:
            seen = not any(misjudged(step.key, entry.expected, day.seen))
            what = day.seen.outcome(step.key) if step.key in day.seen.archived else "not judged"
            at = step.at.astimezone(TIMEZONE)
            yield entry.shows, Sighting(f"{at:%H:%M} {step.author} {what}", seen)


def _in_scenes(day: Day) -> Iterator[tuple[Sequence[str], Sighting]]:
    for number, scene in enumerate(day.scenes, start=1):
        first = next((f" {deed.who} {deed.did}" for deed in scene.deeds), "")
        yield scene.check.shows, Sighting(f"#{number}{first}", scene.check.holds)


def _in_checks(checks: Sequence[Check]) -> Iterator[tuple[Sequence[str], Sighting]]:
    for check in checks:
        yield check.shows, Sighting(check.claim, check.holds)
