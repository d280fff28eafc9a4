"""Archived messages judged once more: as they came, under other policies, by the lexicon of today; what changes."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

from huiqun.contracts.channel import EditedMessage, Message, MessageKind, Role, Sender
from huiqun.contracts.moderation import Reason, Verdict
from huiqun.privacy.detection import PersonalData, PersonalDataKind
from moderation.archive.model import RevisionKey
from moderation.classifier.model import Classifier
from moderation.contacts.model import FoundSpan
from moderation.evidence.model import Evidence, add_likeness, add_split_words, gather_evidence, list_message_windows
from moderation.policies.sections.rules import RULE_NAMES
from moderation.rulebook.model import Rulebook
from moderation.rules.model import Finding
from moderation.standings.model import Standing, standing_key
from moderation.verdicts.model import Decision, judge_message

Document = Mapping[str, Any]
#: When a member was first seen to write, and how many messages of substance they have written since.
Acquaintance = tuple[datetime | None, int]
#: A rule, and the category of what it finds.
RuleKey = tuple[str, str]
_SAMPLES: Final = 20
_SAMPLE_CHARACTERS: Final = 200
_MASK = "*"
_BATCH = 500
_KINDS = {kind.value: kind for kind in MessageKind}
# Messages are made by the ten thousand a second: to copy one and change it takes half the time of making it anew.
_SENDER = Sender(member_id="nobody")
_MESSAGE = Message(message_id="none", group_id="none", sender=_SENDER, sent_at=datetime(2020, 1, 1, tzinfo=UTC))
_EDITED = EditedMessage(**dict(_MESSAGE), revision=1)


@dataclass(slots=True)
class RuleChanges:
    """How many messages a rule gained or lost, and some of them, each as likely as any other."""

    count: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)

    def add_message(self, document: Mapping[str, Any], chance: random.Random) -> None:
        """Count a message, and keep it as a sample or not."""
        self.count += 1
        at = len(self.samples) if len(self.samples) < _SAMPLES else chance.randrange(self.count)
        if at < _SAMPLES:
            self.samples[at : at + 1] = [_sample(document)]


@dataclass(slots=True)
class VerdictTally:
    """What was recorded against what was found now. A message counts once for each rule and category."""

    messages: int = 0
    before: Counter[RuleKey] = field(default_factory=Counter)
    after: Counter[RuleKey] = field(default_factory=Counter)
    added: dict[RuleKey, RuleChanges] = field(default_factory=dict)
    lost: dict[RuleKey, RuleChanges] = field(default_factory=dict)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    # The same messages give the same samples.
    _chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - nothing secret

    def compare_decision(self, document: Mapping[str, Any], decision: Decision) -> None:
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
            self.added.setdefault(key, RuleChanges()).add_message(document, self._chance)
        for key in old - new:
            self.lost.setdefault(key, RuleChanges()).add_message(document, self._chance)

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
        added, lost = self.added.get(key, RuleChanges()), self.lost.get(key, RuleChanges())
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


@dataclass(frozen=True, slots=True)
class ReportedRange:
    """Which messages are reported on: those sent from `since` on, `most` of them; what was before only warms up."""

    since: datetime
    most: int | None = None


@dataclass(slots=True)
class ArchiveReplay:
    """Takes documents of the archive, group by group and in the order they were sent, and tallies what counts.

    What rests on more than the message is carried over as it was recorded: personal data, which the archive has
    masked, contacts written in masked digits, and rules of consent and mode. `acquaintances` are, by key, members who
    wrote before; `classifier` is called where a policy asks for it.
    """

    rulebook: Rulebook
    classifier: Callable[[], Classifier]
    reported: ReportedRange
    today: date
    acquaintances: Mapping[str, Acquaintance] = field(default_factory=dict)
    tally: VerdictTally = field(default_factory=VerdictTally)
    _standings: dict[str, Standing] = field(default_factory=dict)

    def judge_documents(self, documents: Sequence[Document]) -> None:
        """Judge documents, in batches as they are judged when they come."""
        for start in range(0, len(documents), _BATCH):
            self._judge_batch(documents[start : start + _BATCH])

    def _judge_batch(self, documents: Sequence[Document]) -> None:
        book = self.rulebook
        messages = [_message(document) for document in documents]
        settings = [book.policies.settings_of(message.group_id) for message in messages]
        policies = [book.policies.policy_of(each) for each in settings]
        masks = [book.mask_of(policy) for policy in policies]
        senders = [self._standing(message) for message in messages]
        evidence = gather_evidence(messages, masks, book.lexicon, self.today)
        add_split_words(evidence, list_message_windows(messages, self._standings), masks, book.lexicon, self.today)
        add_likeness(evidence, messages, policies, self.classifier)
        for at, document in enumerate(documents):
            found = evidence[at]
            carried: Sequence[Finding] = ()
            if "reasons" in document or "left_out" in document:
                found, carried = _as_recorded(document, found)
            decision = judge_message(messages[at], policies[at], settings[at], senders[at], found)
            for each in carried:
                decision = decision.also(each)
            if document["sent_at"] >= self.reported.since and self.tally.messages != self.reported.most:
                self.tally.compare_decision(document, decision)
        self._forget_all_but(messages[-1].group_id)

    def _standing(self, message: Message) -> Standing | None:
        if message.sender.role is not Role.CUSTOMER:
            return None
        key = standing_key(message.group_id, message.sender.member_id)
        standing = self._standings.get(key)
        if standing is None:
            since, substantial = self.acquaintances.get(key, (None, 0))
            standing = Standing(message.group_id, message.sender.member_id, since=since, substantial=substantial)
            self._standings[key] = standing
        return standing

    def _forget_all_but(self, group_id: str) -> None:
        self._standings = {key: each for key, each in self._standings.items() if each.group_id == group_id}


def _message(document: Document) -> Message:
    """The message of a document, without validating once more what was validated before it was archived."""
    key = RevisionKey.parse(document["_id"])
    fields = {
        "message_id": key.message_id,
        "group_id": document["group_id"],
        "sender": _sender(document["member_id"], document["role"]),
        "kind": _KINDS[document["kind"]],
        "text": document["text"],
        "duration_seconds": document.get("duration_seconds"),
        "url": document.get("url"),
        "sent_at": document["sent_at"],
    }
    if key.revision:
        return _EDITED.model_copy(update={**fields, "revision": key.revision})
    return _MESSAGE.model_copy(update=fields)


@lru_cache(maxsize=10_000)
def _sender(member_id: str, role: str) -> Sender:
    return _SENDER.model_copy(update={"member_id": member_id, "role": Role(role)})


def _as_recorded(document: Document, found: Evidence) -> tuple[Evidence, Sequence[Finding]]:
    """The evidence with what masking has hidden, and the findings that do not rest on the message."""
    recorded = document.get("reasons", ())
    personal = [
        PersonalData(PersonalDataKind(reason["category"]), start, end, reason["confidence"])
        for reason in recorded
        if reason["rule"] == "personal_data"
        for start, end in reason["spans"]
    ]
    if personal:
        found = replace(found, personal=(*found.personal, *personal))
    if left_out := document.get("left_out"):
        found = replace(found, left_out=left_out)
    if not found.contacts and _MASK in document["text"]:
        spans = [span for reason in recorded if reason["rule"] == "contacts" for span in reason["spans"]]
        found = replace(found, contacts=tuple(FoundSpan(start, end, "") for start, end in spans))
    # Why something was blocked is not kept rule by rule: such a finding stands for the verdict there was.
    outcome = Verdict(document["verdict"])
    reasons = [reason for reason in recorded if reason["rule"] not in RULE_NAMES]
    if outcome is Verdict.ALLOW:
        return found, ()
    return found, [Finding(Reason(**reason), outcome) for reason in reasons]


def _sample(document: Mapping[str, Any]) -> dict[str, Any]:
    key = RevisionKey.parse(document["_id"])
    return {
        "message_id": f"{key.message_id}/{key.revision}" if key.revision else key.message_id,
        "group_id": document["group_id"],
        "sent_at": document["sent_at"],
        "text": document["text"][:_SAMPLE_CHARACTERS],
    }
