"""What a judged message leads to, besides its record: what is asked of the channel and of people. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from huiqun.channel.actions.context import ActionContext, quote_message
from huiqun.contracts.channel import Action, EditedMessage, MessageEdited, MessageReceived, Role
from huiqun.contracts.moderation import CaseKind, SanctionKind, Screened, Verdict
from huiqun.runtime.ids import new_id
from moderation.appeals.model import Appeal, find_appealable_strike
from moderation.archive.model import MessageRef
from moderation.cases.model import REMOVAL_SEVERITY, CaseOpening, case_due_at
from moderation.conduct.model import MODE_RULE
from moderation.groups.model import GroupSettings
from moderation.lifecycle.model import RevisionState
from moderation.notices.model import Offence, group_mode_notice, is_personal_data, personal_data_notice, staff_notice
from moderation.policies.sections.review import ReviewRule
from moderation.reports.model import MessageReport, begins_with_phrase
from moderation.rules.model import Finding
from moderation.sanctions.model import (
    AppealLink,
    ImposedSanction,
    SanctionTerms,
    delete_message_action,
    impose_sanction,
    offence_weight,
)
from moderation.standings.model import REMOVAL_RUNG, WARNING_RUNG, Standing
from moderation.verdicts.model import CONSENT_RULE, Decision

_MODE_NOTICE_EVERY: Final = timedelta(hours=1)
_NOBODY_QUOTED: Final[frozenset[str]] = frozenset()


class JudgedMessage(NamedTuple):
    """A message with all that is known of it; `standing` is None where the sender is no customer."""

    event: MessageReceived | MessageEdited
    decision: Decision
    screened: Screened
    standing: Standing | None
    group: GroupSettings
    place: RevisionState


@dataclass(slots=True)
class Consequences:
    """What messages lead to: requests to the channel, `contexts` by action id, and questions for people."""

    actions: list[Action] = field(default_factory=list)
    contexts: dict[str, ActionContext] = field(default_factory=dict)
    sanctions: list[ImposedSanction] = field(default_factory=list)
    openings: list[CaseOpening] = field(default_factory=list)
    reports: list[MessageReport] = field(default_factory=list)
    appeals: list[Appeal] = field(default_factory=list)

    def request(self, context: ActionContext, *actions: Action) -> None:
        """Have something asked of the channel."""
        self.actions += actions
        self.contexts |= dict.fromkeys([action.action_id for action in actions], context)

    def add_report_or_appeal(self, judged: JudgedMessage) -> None:
        """Take in that a message reports another one, or appeals against its sender's sanction, if it does."""
        message, standing = judged.decision.message, judged.standing
        if isinstance(message, EditedMessage) or message.sender.role is Role.BOT:
            return
        rule = judged.decision.policy.rules.review
        note = judged.screened.masked_text
        if message.refers_to is not None and begins_with_phrase(message.text, rule.report_phrases):
            day = message.sent_at.astimezone(judged.group.timezone).toordinal()
            by_staff = message.sender.role is Role.STAFF
            sender = message.sender.member_id
            report = MessageReport(message.group_id, message.refers_to, sender, by_staff, note, day, rule)
            self.reports.append(replace(report, channel=judged.event.source, cause=judged.event))
        elif standing is not None and begins_with_phrase(message.text, rule.appeal_phrases):
            strike = find_appealable_strike(standing, message.refers_to)
            if strike is not None:
                self.appeals.append(Appeal(standing, strike, note, rule, judged.event))

    def add_answer(self, judged: JudgedMessage, now: datetime, appeal_link: AppealLink | None) -> None:
        """Take in what a verdict other than allow leads to: a case, or deletion, notices, and a rung of the ladder."""
        decision, standing = judged.decision, judged.standing
        leading = decision.leading
        if leading is None:
            return
        category, severity = leading.reason.category, leading.reason.severity
        if decision.verdict is Verdict.REVIEW:
            self.openings.append(_case_opening(CaseKind.REVIEW, judged, category, severity, now))
            return
        offence = _offence(judged, category, now)
        if standing is None:
            self.request(offence.context, staff_notice(offence))
            return
        if decision.verdict is Verdict.BLOCK and judged.place.is_shown:
            self.request(offence.context, delete_message_action(offence, new_id()))
        if category == CONSENT_RULE:
            return  # no offence: they are told how to be heard
        if leading.reason.rule == MODE_RULE:
            self._add_mode_notice(standing, offence)  # no offence either
            return
        if is_personal_data(category):
            self.request(offence.context, personal_data_notice(offence))
        self._add_sanction(judged, standing, offence, leading, appeal_link)

    def _add_sanction(
        self,
        judged: JudgedMessage,
        standing: Standing,
        offence: Offence,
        leading: Finding,
        appeal_link: AppealLink | None,
    ) -> None:
        decision, rules = judged.decision, judged.decision.policy.rules
        weight = offence_weight(offence.category, rules.ladder, blocked=decision.verdict is Verdict.BLOCK)
        # A likeness alone never mutes: it warns, and whatever goes beyond that waits for a person.
        highest = REMOVAL_RUNG if decision.is_certain else WARNING_RUNG
        group = judged.group
        terms = SanctionTerms(rules.ladder, group.owner, appeal_link, rules.review.appeal_phrase, highest, group.mutes)
        imposed = impose_sanction(offence, weight, standing, terms)
        if imposed is None:
            return
        self.sanctions.append(imposed)
        self.request(offence.context, *imposed.actions)
        if imposed.step.kind is SanctionKind.REMOVAL_PROPOSED:
            severity = max(leading.reason.severity, REMOVAL_SEVERITY)
            opening = _case_opening(CaseKind.REMOVAL, judged, offence.category, severity, offence.at)
            self.openings.append(replace(opening, sanction_id=imposed.sanction_id))

    def _add_mode_notice(self, standing: Standing, offence: Offence) -> None:
        """Tell a member why they cannot write now, and not with every message."""
        if standing.mode_notice_at is None or offence.at - standing.mode_notice_at >= _MODE_NOTICE_EVERY:
            standing.mode_notice_at = offence.at
            self.request(offence.context, group_mode_notice(offence))


@dataclass(frozen=True, slots=True)
class QuotableMessages:
    """What a report or an appeal may be about: the latest revisions of messages that were there before the batch, and
    the ids of those sanctions against which somebody has appealed before."""

    earlier: Mapping[MessageRef, Screened]
    appealed: frozenset[str]

    def list_categories(
        self,
        event: MessageReceived | MessageEdited,
        standing: Standing,
        rule: ReviewRule,
        batch: Sequence[Screened],
    ) -> frozenset[str]:
        """The categories that a report or an appeal may quote and be no offence: those of the message it is about.

        `batch` is what was judged before in the same batch. An appeal may do so once for each sanction.
        """
        message = event.data
        if message.refers_to is not None and begins_with_phrase(message.text, rule.report_phrases):
            ref = MessageRef(message.refers_to, message.group_id, event.source)
            reported = next((each for each in reversed(batch) if ref_of_record(each) == ref), self.earlier.get(ref))
            if reported is None or reported.member_id == message.sender.member_id:
                return _NOBODY_QUOTED
            return frozenset([reason.category for reason in reported.reasons])
        if begins_with_phrase(message.text, rule.appeal_phrases):
            strike = find_appealable_strike(standing, message.refers_to)
            if strike is not None and strike.id not in self.appealed:
                return frozenset({strike.category})
        return _NOBODY_QUOTED

    def with_batch(self, batch: Sequence[Screened]) -> Mapping[MessageRef, Screened]:
        """The latest revisions, now that those of the batch are there as well."""
        latest = dict(self.earlier)
        for record in batch:
            ref = ref_of_record(record)
            # Who does not know the channel means the message that there is.
            for each in (ref, ref._replace(channel=None)):
                if each not in latest or latest[each].revision <= record.revision:
                    latest[each] = record
        return latest


def ref_of_record(record: Screened) -> MessageRef:
    """The message that a record is of."""
    return MessageRef(record.message_id, record.group_id, record.channel)


def _offence(judged: JudgedMessage, category: str, now: datetime) -> Offence:
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


def _case_opening(kind: CaseKind, judged: JudgedMessage, category: str, severity: int, now: datetime) -> CaseOpening:
    rule = judged.decision.policy.rules.review
    return CaseOpening(kind, judged.screened, category, severity, case_due_at(rule, severity, now), cause=judged.event)
