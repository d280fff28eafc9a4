"""Every message passes here, in batches and in three acts: collect, judge, apply; all in one transaction."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Action, Message, MessageEdited, MessageRecalled, Role
from huiqun.contracts.moderation import CaseKind, MessageScreened, Screened, Verdict
from huiqun.privacy.text import mask_text
from huiqun.runtime.time_slice import run_in_slices
from huiqun.work import Work
from moderation.appeals.handlers import appeal_openings, confirm_appeals
from moderation.archive.handlers import archive_messages, find_revisions
from moderation.archive.model import ArchivedMessage, MessageRef
from moderation.cases.handlers import list_existing_case_ids, open_cases
from moderation.cases.model import case_id_of
from moderation.consent.handlers import UnconsentedSender, hint_unconsented_senders, list_unconsented_senders
from moderation.consequences.model import Consequences, QuotableMessages
from moderation.evidence.handlers import add_quoted_evidence, gather_in_slices
from moderation.evidence.model import compare_quotation, quoted_message_of
from moderation.lifecycle.handlers import announce_recall, record_recalls, save_early_change_update, track_revisions
from moderation.lifecycle.model import message_ref_of
from moderation.metrics import SHADOW_FINDINGS, VERDICTS
from moderation.oversize.model import excerpt_message, is_too_long
from moderation.reports.handlers import receive_reports
from moderation.reports.model import begins_with_phrase
from moderation.rulebook.model import Rulebook
from moderation.sanctions.handlers import announce_sanction, withdraw_deletions
from moderation.sanctions.model import AppealLink
from moderation.screening.model import (
    CollectedBatch,
    CollectedMessage,
    JudgedBatch,
    JudgingTerms,
    MessageEvent,
    PreparedMessage,
    judge_batch,
    list_mended,
)
from moderation.standings.handlers import load_standings, save_standings
from moderation.standings.model import Standing, standing_key

_CUSTOMER = Role.CUSTOMER
ArchivedRevisions = Mapping[MessageRef, Sequence[ArchivedMessage]]


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

    async def prepare(self, events: Sequence[MessageEvent], now: datetime) -> list[PreparedMessage]:
        """Gather what the texts show: the work of the processor, in time slices, without anything of the database."""
        rulebook = self._rulebook()
        messages = [event.data for event in events]
        excerpts = {index: excerpt_message(message) for index, message in enumerate(messages) if is_too_long(message)}
        for index, excerpt in excerpts.items():
            messages[index] = excerpt.message
        in_force = rulebook.policies
        groups = {group_id: in_force.settings_of(group_id) for group_id in {each.group_id for each in messages}}
        chosen = {group_id: in_force.policy_of(settings) for group_id, settings in groups.items()}
        settings = [groups[message.group_id] for message in messages]
        policies = [chosen[message.group_id] for message in messages]
        evidence = await gather_in_slices(messages, policies, rulebook, now.date())
        await add_quoted_evidence(evidence, messages, policies, rulebook, now.date())
        for index, cut in excerpts.items():
            evidence[index] = replace(evidence[index], left_out=cut.left_out, address_is_cut=cut.address_is_cut)
        return [PreparedMessage(rulebook, *each) for each in zip(messages, settings, policies, evidence, strict=True)]

    async def screen(
        self, work: Work, events: Sequence[MessageEvent], prepared: Sequence[PreparedMessage] = ()
    ) -> None:
        """Judge each message under its group's policy; record the verdict and ask the channel to act.

        `prepared` is what `prepare` made of the events; without it, that is done now.
        """
        prepared = prepared or await self.prepare(events, work.now)
        collected, unconsented = await _collect_batch(work, events, prepared)
        judged = JudgedBatch(collected.standings)
        terms = JudgingTerms(work.now, self._hash_key, self._appeal_link)
        await run_in_slices(judge_batch(collected, terms, judged))
        await save_early_change_update(work, collected.early_changes)
        if not collected.messages:
            return
        await _apply_batch(work, collected, judged)
        await _request_actions(work, judged.consequences, await hint_unconsented_senders(work, unconsented))
        await withdraw_deletions(work, list_mended(collected, judged.records))
        _count_verdicts(judged.records)

    async def recall(self, work: Work, events: Sequence[MessageRecalled]) -> None:
        """Note withdrawn messages, which need no deletion any more; what was judged stays judged."""
        await record_recalls(work, events)


async def _collect_batch(
    work: Work, events: Sequence[MessageEvent], prepared: Sequence[PreparedMessage]
) -> tuple[CollectedBatch, Iterable[UnconsentedSender]]:
    """Read all that judging needs, one read per collection; edits by somebody else than their authors are left out."""
    standings = await load_standings(work, _list_customers(each.message for each in prepared))
    talking = _list_reports_and_appeals(prepared, standings)
    refs = _list_referred(events, prepared, talking)
    archived = await find_revisions(work, refs) if refs else {}
    places, early_changes = await track_revisions(work, events, archived)
    placed = zip(events, places, prepared, strict=True)
    messages = [CollectedMessage._make(each) for each in placed if each[1] is not None]
    if len(messages) < len(events):
        keys = {standing_key(*pair) for pair in _list_customers(each.prepared.message for each in messages)}
        standings = {key: standing for key, standing in standings.items() if key in keys}
    readings = [each.prepared for each in messages]
    unconsented = await list_unconsented_senders(
        work, [each.message for each in readings], [each.policy for each in readings]
    )
    return CollectedBatch(
        rulebook=prepared[0].rulebook,
        messages=_compare_quotations(messages, archived),
        standings=standings,
        unconsented={key: each.outcome for key, each in unconsented.items()},
        quotable=await _collect_quotable(work, talking, archived),
        early_changes=early_changes,
    ), unconsented.values()


def _list_reports_and_appeals(
    prepared: Sequence[PreparedMessage], standings: Mapping[str, Standing]
) -> dict[int, Standing | None]:
    """By index, the messages that may report another one or appeal, with the standing of who appeals."""
    struck = {(each.group_id, each.member_id): each for each in standings.values() if each.strikes}
    found: dict[int, Standing | None] = {}
    for index, (_, message, _, policy, _) in enumerate(prepared):
        referred = message.refers_to
        if referred is None and not struck:
            continue
        rule = policy.rules.review
        if referred is not None and begins_with_phrase(message.text, rule.report_phrases):
            found[index] = None
            continue
        standing = struck.get((message.group_id, message.sender.member_id))
        if standing is not None and begins_with_phrase(message.text, rule.appeal_phrases):
            found[index] = standing
    return found


def _list_referred(
    events: Sequence[MessageEvent], prepared: Sequence[PreparedMessage], talking: Mapping[int, Standing | None]
) -> set[MessageRef]:
    """The messages that the batch edits, quotes, reports, or appeals about."""
    refs = {message_ref_of(event) for event in events if isinstance(event, MessageEdited)}
    for event, each in zip(events, prepared, strict=True):
        if each.evidence.quoted is not None and (ref := quoted_message_of(event, each.evidence)) is not None:
            refs.add(ref)
    for index, standing in talking.items():
        event = events[index]
        if standing is not None:
            sanctioned = [strike for strike in standing.strikes if strike.sanction_id is not None]
            refs |= {MessageRef(strike.message_id, standing.group_id) for strike in sanctioned}
        elif event.data.refers_to is not None:
            refs.add(MessageRef(event.data.refers_to, event.data.group_id, event.source))
    return refs


async def _collect_quotable(
    work: Work, talking: Mapping[int, Standing | None], archived: ArchivedRevisions
) -> QuotableMessages:
    strikes = [strike for standing in talking.values() if standing is not None for strike in standing.strikes]
    case_ids = {case_id_of(CaseKind.APPEAL, strike.id): strike.id for strike in strikes}
    appealed = await list_existing_case_ids(work, case_ids)
    earlier = {ref: revisions[-1].to_screened() for ref, revisions in archived.items()} if talking else {}
    return QuotableMessages(earlier, frozenset([case_ids[each] for each in appealed]))


def _compare_quotations(messages: list[CollectedMessage], archived: ArchivedRevisions) -> list[CollectedMessage]:
    """The messages, with what they quote compared with what was written, here and in the batch.

    Of a quotation without an id, and of a message that is not there, it stays unknown.
    """
    refs = {
        index: ref
        for index, each in enumerate(messages)
        if each.prepared.evidence.quoted is not None
        and (ref := quoted_message_of(each.event, each.prepared.evidence)) is not None
    }
    if not refs:
        return messages
    wanted = frozenset(refs.values())
    written = {
        ref: [(str(each.document["member_id"]), str(each.document["text"])) for each in archived[ref]]
        for ref in wanted
        if ref in archived
    }
    for event, _, _ in messages:
        if (ref := message_ref_of(event)) in wanted:
            written.setdefault(ref, []).append((event.data.sender.member_id, mask_text(event.data.text)))
    for index, ref in refs.items():
        if ref in written:
            event, _, each = messages[index]
            compared = compare_quotation(each.evidence, event.data, written[ref])
            messages[index] = messages[index]._replace(prepared=each._replace(evidence=compared))
    return messages


async def _apply_batch(work: Work, collected: CollectedBatch, judged: JudgedBatch) -> None:
    """Write what was judged, one write per collection, and make it known."""
    consequences = judged.consequences
    for each, record, entry in zip(collected.messages, judged.records, judged.entries, strict=True):
        work.emit(MessageScreened.create_unchecked(record, time=work.now, cause=each.event))
        if entry.recalled_by is not None:  # it was withdrawn before it came
            announce_recall(work, record, entry.recalled_by, each.event)
    await save_standings(work, judged.standings.values())
    await archive_messages(work, judged.entries)
    for imposed in consequences.sanctions:
        announce_sanction(work, imposed)
    reports, appeals = consequences.reports, consequences.appeals
    latest = collected.quotable.with_batch(judged.records) if reports or appeals else {}
    reported = await receive_reports(work, reports, latest)
    openings = [*consequences.openings, *reported, *appeal_openings(appeals, latest, work.now)]
    opened = await open_cases(work, openings)
    for action, context in confirm_appeals(appeals, opened, work.now):
        consequences.request(context, action)


async def _request_actions(work: Work, consequences: Consequences, hints: Sequence[Action]) -> None:
    """Ask the channel once for all that the batch leads to; `hints` tell members how to be heard."""
    actions = [*consequences.actions, *hints]
    if actions:
        await request_actions(work, *actions, contexts=consequences.contexts)


def _count_verdicts(records: Sequence[Screened]) -> None:
    """Count verdicts, and what rules on trial have found."""
    for reason in [reason for record in records if record.reasons for reason in record.reasons if reason.shadow]:
        SHADOW_FINDINGS.labels(rule=reason.rule).inc()
    counted = Counter([record.verdict._value_ for record in records])
    for verdict in Verdict:
        VERDICTS.labels(verdict=verdict.value).inc(counted[verdict.value])


def _list_customers(messages: Iterable[Message]) -> set[tuple[str, str]]:
    senders = [(message.group_id, message.sender) for message in messages]
    return {(group_id, sender.member_id) for group_id, sender in senders if sender.role is _CUSTOMER}
