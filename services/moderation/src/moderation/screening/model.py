"""The second act of screening: what was collected for a batch is judged, message by message. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from huiqun.contracts.channel import Message, MessageEdited, MessageReceived, Role
from huiqun.contracts.moderation import Screened, Verdict
from moderation.archive.model import ArchiveEntry, MessageRef
from moderation.consequences.model import Consequences, JudgedMessage, QuotableMessages
from moderation.evidence.model import Evidence, add_split_words, list_message_windows
from moderation.groups.model import GroupSettings
from moderation.lifecycle.model import EarlyChangeUpdate, RevisionState, message_ref_of
from moderation.policies.model import Policy
from moderation.policies.sections.section import Outcome
from moderation.retention.model import EntryBuilder
from moderation.rulebook.model import Rulebook
from moderation.rules.model import make_finding
from moderation.sanctions.model import AppealLink
from moderation.standings.model import Standing, standing_key
from moderation.verdicts.model import CONSENT_RULE, judge_message

MessageEvent = MessageReceived | MessageEdited
# Of an enumeration, reading a member by its name takes as long as half a rule.
_ALLOW, _CUSTOMER = Verdict.ALLOW, Role.CUSTOMER
_OFFENCES: Final = frozenset({Verdict.WARN, Verdict.BLOCK})


class PreparedMessage(NamedTuple):
    """A message with what its text shows, and the rules in force when it was read."""

    rulebook: Rulebook
    message: Message
    group: GroupSettings
    policy: Policy
    evidence: Evidence


class CollectedMessage(NamedTuple):
    """A message that is to be judged, and where its revision stands among those that have come."""

    event: MessageEvent
    place: RevisionState
    prepared: PreparedMessage


@dataclass(frozen=True, slots=True)
class CollectedBatch:
    """All that judging a batch needs.

    `standings` are by key, read for this batch alone; `unconsented` says by the same key what is wanted done with what
    a member writes who has not agreed to the rules.
    """

    rulebook: Rulebook
    messages: Sequence[CollectedMessage]
    standings: Mapping[str, Standing]
    unconsented: Mapping[str, Outcome]
    quotable: QuotableMessages
    early_changes: EarlyChangeUpdate


@dataclass(frozen=True, slots=True)
class JudgingTerms:
    """How batches are judged: the moment, the key of the hashes in the archive, and where members can appeal."""

    now: datetime
    hash_key: bytes
    appeal_link: AppealLink | None


@dataclass(slots=True)
class JudgedBatch:
    """What judging gives: a record and an archive entry for each message, in their order, and what follows from them.

    `standings` are those of the members who wrote, as they are now.
    """

    standings: Mapping[str, Standing]
    records: list[Screened] = field(default_factory=list)
    entries: list[ArchiveEntry] = field(default_factory=list)
    consequences: Consequences = field(default_factory=Consequences)


def judge_batch(collected: CollectedBatch, terms: JudgingTerms, judged: JudgedBatch) -> Iterator[None]:
    """Judge the messages one after the other into `judged`; whoever iterates may let others have a turn in between."""
    rulebook, quotable = collected.rulebook, collected.quotable
    builder = EntryBuilder(terms.now, rulebook.holds, terms.hash_key)
    standings, consequences, records = judged.standings, judged.consequences, judged.records
    for (event, place, prepared), found in zip(collected.messages, _complete_evidence(collected, terms), strict=True):
        _, message, group, policy, _ = prepared
        key = standing_key(message.group_id, message.sender.member_id)
        # A member who became staff within the batch is judged as what they were with each message.
        standing = standings.get(key) if message.sender.role is _CUSTOMER else None
        decision = judge_message(message, policy, group, standing, found)
        if decision.verdict in _OFFENCES and standing is not None:
            # A member who reports an advertisement, or appeals, repeats what they speak of.
            quoted = quotable.list_categories(event, standing, policy.rules.review, records)
            decision = decision.quoting(quoted) if quoted else decision
        if key in collected.unconsented:
            decision = decision.also(make_finding(CONSENT_RULE, CONSENT_RULE, 1, collected.unconsented[key]))
        record = decision.screened(rulebook.lexicon_version, event.source)
        records.append(record)
        entry = builder.build_entry(record, message, found.personal, policy.rules.retention.days)
        judged.entries.append(_with_recall(entry, place))
        is_reply = message.refers_to is not None or (standing is not None and standing.strikes)
        if is_reply or decision.verdict is not _ALLOW:
            outcome = JudgedMessage(event, decision, record, standing, group, place)
            if is_reply:
                consequences.add_report_or_appeal(outcome)
            if decision.verdict is not _ALLOW:
                consequences.add_answer(outcome, terms.now, terms.appeal_link)
        yield


def _complete_evidence(collected: CollectedBatch, terms: JudgingTerms) -> list[Evidence]:
    """The evidence in each message, also of the words that members cut over several."""
    evidence = [each.prepared.evidence for each in collected.messages]
    messages = [each.prepared.message for each in collected.messages]
    if windows := list_message_windows(messages, collected.standings):
        rulebook = collected.rulebook
        masks = [rulebook.mask_of(each.prepared.policy) for each in collected.messages]
        add_split_words(evidence, windows, masks, rulebook.lexicon, terms.now.date())
    return evidence


def _with_recall(entry: ArchiveEntry, place: RevisionState) -> ArchiveEntry:
    """The entry, which says that the message was withdrawn before it came: that stands where it was first sent."""
    is_withdrawn = place.recalled_by is not None and entry.screened.revision == 0
    return entry._replace(recalled_by=place.recalled_by) if is_withdrawn else entry


def list_mended(collected: CollectedBatch, records: Sequence[Screened]) -> frozenset[MessageRef]:
    """The messages that were edited so that nothing has to be deleted any more."""
    if not any(isinstance(each.event, MessageEdited) for each in collected.messages):
        return frozenset()
    judged = zip(collected.messages, records, strict=True)
    shown = {message_ref_of(each.event): (each.event, record.verdict) for each, record in judged if each.place.is_shown}
    changed = ((ref, verdict) for ref, (event, verdict) in shown.items() if isinstance(event, MessageEdited))
    return frozenset(ref for ref, verdict in changed if verdict is not Verdict.BLOCK)
