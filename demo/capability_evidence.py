"""What a run has shown of what moderation can do, and where that was to be seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from demo.check import CheckResult
from demo.checks import describe_misjudgement
from demo.day import PlayedDay
from demo.story.capabilities import CAPABILITIES
from demo.story.model import Edits, Says
from local.days import TIMEZONE


@dataclass(frozen=True, slots=True)
class CapabilityEvidence:
    """A place where something was to be seen; `holds` is whether it was as it should be there."""

    where: str
    holds: bool


def find_capability_evidence(
    day: PlayedDay, checks: Sequence[CheckResult]
) -> Mapping[str, Sequence[CapabilityEvidence]]:
    """Where each capability was to be seen: among the messages, in the scenes, by the checks afterwards."""
    found: dict[str, list[CapabilityEvidence]] = {name: [] for name in CAPABILITIES}
    for shows, sighting in (*_in_messages(day), *_in_scenes(day), *_in_checks(checks)):
        for name in shows:
            found[name].append(sighting)
    return found


def _in_messages(day: PlayedDay) -> Iterator[tuple[Sequence[str], CapabilityEvidence]]:
    for step in day.steps:
        entry = step.entry
        if isinstance(entry, Says | Edits) and entry.shows and step.key:
            seen = not any(describe_misjudgement(step.key, entry.expected, day.seen))
            what = day.seen.outcome(step.key) if step.key in day.seen.archived else "not judged"
            at = step.at.astimezone(TIMEZONE)
            yield entry.shows, CapabilityEvidence(f"{at:%H:%M} {step.author} {what}", seen)


def _in_scenes(day: PlayedDay) -> Iterator[tuple[Sequence[str], CapabilityEvidence]]:
    for number, scene in enumerate(day.scenes, start=1):
        first = next((f" {deed.who} {deed.did}" for deed in scene.deeds), "")
        yield scene.check.shows, CapabilityEvidence(f"#{number}{first}", scene.check.holds)


def _in_checks(checks: Sequence[CheckResult]) -> Iterator[tuple[Sequence[str], CapabilityEvidence]]:
    for check in checks:
        yield check.shows, CapabilityEvidence(check.claim, check.holds)
