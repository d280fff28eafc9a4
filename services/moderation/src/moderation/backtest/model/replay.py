"""Judges archived messages once more: as they came, under other policies, by the lexicon of today."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from huiqun.contracts.channel import EditedMessage, Message, MessageKind, Role, Sender
from huiqun.contracts.moderation import Reason, Verdict
from huiqun.privacy.detection import PersonalData, PersonalDataKind
from moderation.archive.model import RevisionKey
from moderation.backtest.model.tally import Tally
from moderation.policies.sections.rules import RULE_NAMES
from moderation.rulebook.model import Rulebook
from moderation.screening.model import Evidence, add_joined_words, add_resemblance, gather, judge, windows_of
from moderation.screening.model.classifier import Classifier
from moderation.screening.model.contacts import Span
from moderation.screening.model.finding import Finding
from moderation.standing.model import Standing, key_of

Document = Mapping[str, Any]
#: When a member was first seen to write, and how many messages of substance they have written since.
Acquaintance = tuple[datetime | None, int]
_MASK = "*"
_BATCH = 500
_KINDS = {kind.value: kind for kind in MessageKind}
# Messages are made by the ten thousand a second: to copy one and change it takes half the time of making it anew.
_SENDER = Sender(member_id="nobody")
_MESSAGE = Message(message_id="none", group_id="none", sender=_SENDER, sent_at=datetime(2020, 1, 1, tzinfo=UTC))
_EDITED = EditedMessage(**dict(_MESSAGE), revision=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """Which messages are reported on: those sent from `since` on, `most` of them; what was before only warms up."""

    since: datetime
    most: int | None = None


@dataclass(slots=True)
class Replay:
    """Takes documents of the archive, group by group and in the order they were sent, and tallies what counts.

    What rests on more than the message is carried over as it was recorded: personal data, which the archive has
    masked, contacts written in masked digits, and rules of consent and mode. `known` are, by key, members who wrote
    before; `classifier` is called where a policy asks for it.
    """

    rulebook: Rulebook
    classifier: Callable[[], Classifier]
    counted: Counted
    today: date
    known: Mapping[str, Acquaintance] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    _standings: dict[str, Standing] = field(default_factory=dict)

    def take(self, documents: Sequence[Document]) -> None:
        """Judge documents, in batches as they are judged when they come."""
        for start in range(0, len(documents), _BATCH):
            self._judge(documents[start : start + _BATCH])

    def _judge(self, documents: Sequence[Document]) -> None:
        book = self.rulebook
        messages = [_message(document) for document in documents]
        settings = [book.policies.settings_of(message.group_id) for message in messages]
        policies = [book.policies.policy_of(each) for each in settings]
        masks = [book.mask_of(policy) for policy in policies]
        senders = [self._standing(message) for message in messages]
        evidence = gather(messages, masks, book.lexicon, self.today)
        add_joined_words(evidence, windows_of(messages, self._standings), masks, book.lexicon, self.today)
        add_resemblance(evidence, messages, policies, self.classifier)
        for at, document in enumerate(documents):
            found = evidence[at]
            carried: Sequence[Finding] = ()
            if "reasons" in document or "left_out" in document:
                found, carried = _as_recorded(document, found)
            decision = judge(messages[at], policies[at], settings[at], senders[at], found)
            for each in carried:
                decision = decision.also(each)
            if document["sent_at"] >= self.counted.since and self.tally.messages != self.counted.most:
                self.tally.compare(document, decision)
        self._forget_all_but(messages[-1].group_id)

    def _standing(self, message: Message) -> Standing | None:
        if message.sender.role is not Role.CUSTOMER:
            return None
        key = key_of(message.group_id, message.sender.member_id)
        standing = self._standings.get(key)
        if standing is None:
            since, substantial = self.known.get(key, (None, 0))
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
        found = replace(found, contacts=tuple(Span(start, end, "") for start, end in spans))
    # Why something was blocked is not kept rule by rule: such a finding stands for the verdict there was.
    outcome = Verdict(document["verdict"])
    reasons = [reason for reason in recorded if reason["rule"] not in RULE_NAMES]
    if outcome is Verdict.ALLOW:
        return found, ()
    return found, [Finding(Reason(**reason), outcome) for reason in reasons]
