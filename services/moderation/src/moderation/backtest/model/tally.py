"""Counts what is found again, what is new and what is lost, with samples of both."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moderation.archive.model import RevisionKey
from moderation.verdicts.model import Decision

SAMPLES = 20
_SAMPLE_CHARACTERS = 200
RuleKey = tuple[str, str]


@dataclass(slots=True)
class Changes:
    """How many messages a rule gained or lost, and some of them, each as likely as any other."""

    count: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, document: Mapping[str, Any], chance: random.Random) -> None:
        """Count a message, and keep it as a sample or not."""
        self.count += 1
        at = len(self.samples) if len(self.samples) < SAMPLES else chance.randrange(self.count)
        if at < SAMPLES:
            self.samples[at : at + 1] = [_sample(document)]


@dataclass(slots=True)
class Tally:
    """What was recorded against what was found now. A message counts once for each rule and category."""

    messages: int = 0
    before: Counter[RuleKey] = field(default_factory=Counter)
    after: Counter[RuleKey] = field(default_factory=Counter)
    added: dict[RuleKey, Changes] = field(default_factory=dict)
    lost: dict[RuleKey, Changes] = field(default_factory=dict)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    # The same messages give the same samples.
    _chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - nothing secret

    def compare(self, document: Mapping[str, Any], decision: Decision) -> None:
        """Compare an archived message with what became of it this time."""
        self.messages += 1
        self.verdicts[document["verdict"], decision.verdict.value] += 1
        recorded = document.get("reasons")
        if not recorded and not decision.findings:
            return
        old = {(reason["rule"], reason["category"]) for reason in recorded or ()}
        new = {(finding.reason.rule, finding.reason.category) for finding in decision.findings}
        self.before.update(old)
        self.after.update(new)
        for key in new - old:
            self.added.setdefault(key, Changes()).add(document, self._chance)
        for key in old - new:
            self.lost.setdefault(key, Changes()).add(document, self._chance)

    def summary(self) -> dict[str, int]:
        """The figures that tell whether a closer look is worth it."""
        return {
            "messages": self.messages,
            "added": sum(changes.count for changes in self.added.values()),
            "lost": sum(changes.count for changes in self.lost.values()),
            "changed": sum(count for (old, new), count in self.verdicts.items() if old != new),
        }

    def report(self) -> dict[str, Any]:
        """Everything, as a document: rules by name, verdicts as they were and as they would be."""
        keys = sorted(self.before.keys() | self.after.keys())
        verdicts = [{"before": old, "after": new, "messages": n} for (old, new), n in sorted(self.verdicts.items())]
        return {**self.summary(), "rules": [self._row(key) for key in keys], "verdicts": verdicts}

    def _row(self, key: RuleKey) -> dict[str, Any]:
        added, lost = self.added.get(key, Changes()), self.lost.get(key, Changes())
        return {
            "rule": key[0],
            "category": key[1],
            "before": self.before[key],
            "after": self.after[key],
            "added": added.count,
            "lost": lost.count,
            "added_samples": added.samples,
            "lost_samples": lost.samples,
        }


def _sample(document: Mapping[str, Any]) -> dict[str, Any]:
    key = RevisionKey.parse(document["_id"])
    return {
        "message_id": f"{key.message_id}/{key.revision}" if key.revision else key.message_id,
        "group_id": document["group_id"],
        "sent_at": document["sent_at"],
        "text": document["text"][:_SAMPLE_CHARACTERS],
    }
