"""Every message passes here: judged in a batch, recorded, and answered with actions, in one transaction."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from huiqun.channel.actions.context import quote_message
from huiqun.contracts.channel import (
    EditedMessage,
    Message,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
    Role,
)
from huiqun.contracts.moderation import CaseKind, MessageScreened, SanctionKind, Screened, Verdict
from huiqun.runtime.ids import new_id
from huiqun.runtime.time_slice import TimeSlice
from huiqun.work import Work
from moderation.archive import store as archive
from moderation.archive.model import Entry, Keeping, MessageRef
from moderation.cases.handlers.asking import Appeal, appealable, find_quoted
from moderation.cases.model import REMOVAL_SEVERITY, Opening, Report, begins_with, due
from moderation.enforcement import model as enforcement
from moderation.enforcement.handlers import impose, spare_deletions
from moderation.enforcement.model import AppealLink, Offence, Terms
from moderation.lifecycle.handlers import announce_recall, place_messages, recall_messages, ref_of
from moderation.lifecycle.model import Place
from moderation.membership.handlers.silence import find_silenced, tell_why
from moderation.metrics import SHADOW_FINDINGS, VERDICTS
from moderation.policies.model import GroupSettings, Policy
from moderation.rulebook.model import Rulebook
from moderation.screening.follow_up import FollowUp
from moderation.screening.model import MODE_RULE, Decision, Evidence, add_joined_words, judge, windows_of
from moderation.screening.model.finding import finding
from moderation.screening.model.limits import is_too_long, within_limits
from moderation.screening.portions import gather_in_portions
from moderation.screening.quotations import add_quoted, compare_quoted
from moderation.standing import store as standings
from moderation.standing.model import REMOVAL_RUNG, WARNING_RUNG, Standing, key_of

Messages = MessageReceived | MessageEdited
CONSENT = "consent"
_ALLOW, _CUSTOMER = Verdict.ALLOW, Role.CUSTOMER
_OFFENCES = frozenset({Verdict.WARN, Verdict.BLOCK})
_HUSH_EVERY = timedelta(hours=1)


class MessageReading(NamedTuple):
    """A message with what its text shows, and the rules in force when it was read."""

    rulebook: Rulebook
    message: Message
    group: GroupSettings
    policy: Policy
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Judged:
    """A message with all that is known of it; `standing` is None where the sender is no customer."""

    event: Messages
    decision: Decision
    screened: Screened
    standing: Standing | None
    group: GroupSettings
    place: Place


class Screening:
    """The use cases of screening; `rulebook` gives the policies, groups, lexicon and holds in force at the moment.

    `hash_key` is the key under which personal data is hashed for the archive; `appeal_link` makes the address at
    which a member can appeal against a sanction, where there is such a page.
    """

    def __init__(
        self, rulebook: Callable[[], Rulebook], hash_key: bytes, appeal_link: AppealLink | None = None
    ) -> None:
        self._rulebook = rulebook
        self._hash_key = hash_key
        self._appeal_link = appeal_link

    async def read(self, events: Sequence[Messages], now: datetime) -> list[MessageReading]:
        """What the texts show: the work of the processor, in portions, without anything of the database."""
        rulebook = self._rulebook()
        messages = [event.data for event in events]
        limited = {index: within_limits(message) for index, message in enumerate(messages) if is_too_long(message)}
        for index, cut in limited.items():
            messages[index] = cut.message
        settings = [rulebook.policies.settings_of(message.group_id) for message in messages]
        policies = [rulebook.policies.policy_of(each) for each in settings]
        evidence = await gather_in_portions(messages, policies, rulebook, now.date())
        await add_quoted(evidence, messages, policies, rulebook, now.date())
        for index, cut in limited.items():
            evidence[index] = replace(evidence[index], left_out=cut.left_out, address_is_cut=cut.address_is_cut)
        return [MessageReading(rulebook, *each) for each in zip(messages, settings, policies, evidence, strict=True)]

    async def screen(self, work: Work, events: Sequence[Messages], readings: Sequence[MessageReading] = ()) -> None:
        """Judge each message under its group's policy; record the verdict and ask the channel to act.

        `readings` are what `read` made of the events; without them, they are read now.
        """
        taken = await _take(work, events, readings or await self.read(events, work.now))
        if not taken:
            return
        events, places = [event for event, _, _ in taken], [place for _, place, _ in taken]
        readings = [reading for _, _, reading in taken]
        rulebook = readings[0].rulebook
        messages, policies = [each.message for each in readings], [each.policy for each in readings]
        evidence = [each.evidence for each in readings]
        known = await standings.load(work, _customers(messages))
        if windows := windows_of(messages, known):
            add_joined_words(evidence, windows, [*map(rulebook.mask_of, policies)], rulebook.lexicon, work.now.date())
        await compare_quoted(work, events, evidence)
        silenced = await find_silenced(work, messages, policies)
        keeping, records = Keeping(work.now, rulebook.holds, self._hash_key), list[Screened]()
        entries, follow, time_slice = [], FollowUp(), TimeSlice()
        for (event, place, reading), found in zip(taken, evidence, strict=True):
            if time_slice.is_spent:
                await time_slice.yield_to_loop()
            _, message, group, policy, _ = reading
            key = key_of(message.group_id, message.sender.member_id)
            # A member who became staff within the batch is judged as what they were with each message.
            standing = known.get(key) if message.sender.role is _CUSTOMER else None
            decision = judge(message, policy, group, standing, found)
            if decision.verdict in _OFFENCES and standing is not None:
                # A member who reports an advertisement, or appeals, repeats what they speak of.
                quoted = await find_quoted(work, event, standing, policy.rules.review, records)
                decision = decision.quoting(quoted) if quoted else decision
            if key in silenced:
                decision = decision.also(finding("consent", CONSENT, 1, silenced[key].outcome))
            records.append(screened := decision.screened(rulebook.lexicon_version, event.source))
            entries.append(
                _placed(keeping.entry(screened, message, found.personal, policy.rules.retention.days), place)
            )
            work.emit(MessageScreened.create_unchecked(screened, time=work.now, cause=event))
            if message.refers_to is not None or (standing is not None and standing.strikes):
                _listen(Judged(event, decision, screened, standing, group, place), follow)
            if decision.verdict is not _ALLOW:
                self._answer(work, Judged(event, decision, screened, standing, group, place), follow)
        await standings.save(work, known.values())
        await archive.append(work, entries)
        _announce_recalls(work, events, entries)
        await follow.carry_out(work)
        await spare_deletions(work, _mended(events, places, records))
        await tell_why(work, silenced.values())
        _count_verdicts(records)

    async def recall(self, work: Work, events: Sequence[MessageRecalled]) -> None:
        """Note withdrawn messages, which need no deletion any more; what was judged stays judged."""
        await recall_messages(work, events)

    def _answer(self, work: Work, judged: Judged, follow: FollowUp) -> None:
        """What a verdict other than allow leads to: a case, or deletion, caution, and a rung of the ladder."""
        decision, standing = judged.decision, judged.standing
        leading = decision.leading
        if leading is None:
            return
        category, severity = leading.reason.category, leading.reason.severity
        if decision.verdict is Verdict.REVIEW:
            follow.openings.append(_opening(CaseKind.REVIEW, judged, category, severity, work.now))
            return
        offence = _offence(judged, category, work.now)
        if standing is None:
            follow.ask(offence.context, enforcement.notice_to_staff(offence, new_id()))
            return
        if decision.verdict is Verdict.BLOCK and judged.place.is_shown:
            follow.ask(offence.context, enforcement.deletion(offence, new_id()))
        if category == CONSENT:
            return  # no offence: they are told how to be heard
        if leading.reason.rule == MODE_RULE:
            _explain_mode(standing, offence, follow)  # no offence either
            return
        if enforcement.is_personal(category):
            follow.ask(offence.context, enforcement.caution(offence, new_id()))
        ladder, appeal = decision.policy.rules.ladder, decision.policy.rules.review.appeal_phrase
        weight = enforcement.weight_of(category, ladder, blocked=decision.verdict is Verdict.BLOCK)
        # A likeness alone never mutes: it warns, and whatever goes beyond that waits for a person.
        highest = REMOVAL_RUNG if decision.is_certain else WARNING_RUNG
        terms = Terms(ladder, judged.group.owner, self._appeal_link, appeal, highest, judged.group.mutes)
        imposed = impose(work, offence, weight, standing, terms)
        if imposed is not None:
            climb, actions = imposed
            follow.ask(offence.context, *actions)
            if climb.kind is SanctionKind.REMOVAL_PROPOSED:
                opening = _opening(CaseKind.REMOVAL, judged, category, max(severity, REMOVAL_SEVERITY), work.now)
                follow.openings.append(replace(opening, sanction_id=actions[0].action_id))


async def _take(
    work: Work, events: Sequence[Messages], readings: Sequence[MessageReading]
) -> list[tuple[Messages, Place, MessageReading]]:
    """The messages that are judged, without edits by somebody else than their authors, each with where it stands."""
    placed = zip(events, await place_messages(work, events), readings, strict=True)
    return [(event, place, reading) for event, place, reading in placed if place is not None]


def _count_verdicts(records: Sequence[Screened]) -> None:
    """Count verdicts, and what rules on trial have found."""
    for reason in [reason for record in records if record.reasons for reason in record.reasons if reason.shadow]:
        SHADOW_FINDINGS.labels(rule=reason.rule).inc()
    counted = Counter([record.verdict._value_ for record in records])
    for verdict in Verdict:
        VERDICTS.labels(verdict=verdict.value).inc(counted[verdict.value])


def _customers(messages: Iterable[Message]) -> set[tuple[str, str]]:
    senders = [(message.group_id, message.sender) for message in messages]
    return {(group_id, sender.member_id) for group_id, sender in senders if sender.role is _CUSTOMER}


def _placed(entry: Entry, place: Place) -> Entry:
    """The entry, which says that the message was withdrawn before it came: that stands where it was first sent."""
    is_withdrawn = place.recalled_by is not None and entry.screened.revision == 0
    return entry._replace(recalled_by=place.recalled_by) if is_withdrawn else entry


def _announce_recalls(work: Work, events: Iterable[Messages], entries: Iterable[Entry]) -> None:
    """Say of the messages that were withdrawn before they came that they are."""
    for event, entry in zip(events, entries, strict=True):
        if entry.recalled_by is not None:
            announce_recall(work, entry.screened, entry.recalled_by, event)


def _mended(
    events: Collection[Messages], places: Iterable[Place], records: Iterable[Screened]
) -> frozenset[MessageRef]:
    """The messages that were edited so that nothing has to be deleted any more."""
    if not any(isinstance(event, MessageEdited) for event in events):
        return frozenset()
    judged = zip(events, places, records, strict=True)
    shown = {ref_of(event): (event, screened.verdict) for event, place, screened in judged if place.is_shown}
    changed = ((ref, verdict) for ref, (event, verdict) in shown.items() if isinstance(event, MessageEdited))
    return frozenset(ref for ref, verdict in changed if verdict is not Verdict.BLOCK)


def _listen(judged: Judged, follow: FollowUp) -> None:
    """Hear whether a message reports another one, or appeals against its sender's sanction."""
    message, standing = judged.decision.message, judged.standing
    if isinstance(message, EditedMessage) or message.sender.role is Role.BOT:
        return
    rule = judged.decision.policy.rules.review
    note = judged.screened.masked_text
    if message.refers_to is not None and begins_with(message.text, rule.report_phrases):
        day = message.sent_at.astimezone(judged.group.timezone).toordinal()
        by_staff = message.sender.role is Role.STAFF
        sender = message.sender.member_id
        report = Report(message.group_id, message.refers_to, sender, by_staff, note, day, rule)
        follow.reports.append(replace(report, channel=judged.event.source, cause=judged.event))
    elif standing is not None and begins_with(message.text, rule.appeal_phrases):
        strike = appealable(standing, message.refers_to)
        if strike is not None:
            follow.appeals.append(Appeal(standing, strike, note, rule, judged.event))


def _offence(judged: Judged, category: str, now: datetime) -> Offence:
    message = judged.decision.message
    return Offence(
        group_id=message.group_id,
        member_id=message.sender.member_id,
        message_id=message.message_id,
        category=category,
        at=now,
        channel=judged.event.source,
        context=quote_message(judged.screened.masked_text, message.sent_at, judged.event),
        wording=judged.decision.policy.rules.wording,
    )


def _explain_mode(standing: Standing, offence: Offence, follow: FollowUp) -> None:
    """Tell a member why they cannot write now, and not with every message."""
    if standing.hushed_at is None or offence.at - standing.hushed_at >= _HUSH_EVERY:
        standing.hushed_at = offence.at
        follow.ask(offence.context, enforcement.hush(offence, new_id()))


def _opening(kind: CaseKind, judged: Judged, category: str, severity: int, now: datetime) -> Opening:
    rule = judged.decision.policy.rules.review
    return Opening(kind, judged.screened, category, severity, due(rule, severity, now), cause=judged.event)
