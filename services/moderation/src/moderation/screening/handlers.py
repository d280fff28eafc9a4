"""Every message passes here: judged in a batch, recorded, and answered with actions, in one transaction."""

from collections.abc import Callable, Iterable, Sequence

from huiqun.contracts.channel import Action, MessageEdited, MessageRecalled, MessageReceived, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MemberSanctioned, MessageScreened, Sanction, SanctionKind, Verdict
from huiqun.runtime.ids import new_id
from huiqun.stream import Work
from huiqun.timers import Timer
from moderation.archive import store as archive
from moderation.enforcement import model as enforcement
from moderation.enforcement.handlers import MUTE_ENDS, request_actions
from moderation.membership.handlers.silence import find_silenced, tell_why
from moderation.metrics import VERDICTS
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook
from moderation.screening.model import Decision, add_joined_words, gather, judge, windows_of
from moderation.screening.model.finding import finding
from moderation.standing import store as standings
from moderation.standing.model import Climb, Standing, Strike, add_strike, key_of

Messages = MessageReceived | MessageEdited
CONSENT = "consent"
Requests = list[tuple[Action, Event | None]]


class Screening:
    """The use cases of screening; `rulebook` gives the policies, groups and lexicon in force at the moment."""

    def __init__(self, rulebook: Callable[[], Rulebook]) -> None:
        self._rulebook = rulebook

    async def screen(self, events: Sequence[Messages], work: Work) -> None:
        """Judge each message under its group's policy; record the verdict and ask the channel to act."""
        rulebook = self._rulebook()
        messages = [event.data for event in events]
        settings = [rulebook.policies.settings_of(message.group_id) for message in messages]
        policies = [rulebook.policies.policy_of(each) for each in settings]
        masks = [rulebook.mask_of(policy) for policy in policies]
        today = work.now.date()
        evidence = gather(messages, masks, rulebook.lexicon, today)
        known = await standings.load(work, _customers(events))
        add_joined_words(evidence, windows_of(messages, known), masks, rulebook.lexicon, today)
        silenced = await find_silenced(work, messages, policies)
        requests: Requests = []
        records = []
        for event, policy, group, found in zip(events, policies, settings, evidence, strict=True):
            message = event.data
            key = key_of(message.group_id, message.sender.member_id)
            standing = known.get(key)
            decision = judge(message, policy, group, standing, found)
            if key in silenced:
                decision = decision.also(finding("consent", CONSENT, 1, silenced[key].outcome))
            if decision.verdict is not Verdict.ALLOW:
                requests += _answer(event, decision, standing, group.owner, work)
            screened = decision.screened(rulebook.lexicon_version)
            records.append(screened)
            work.emit(MessageScreened.about(message.group_id, screened, time=work.now, cause=event))
        await standings.save(work, known.values())
        await archive.append(work, records)
        if requests:
            await request_actions(work, requests)
        await tell_why(work, silenced.values())
        for verdict in Verdict:
            VERDICTS.labels(verdict=verdict.value).inc(sum(1 for record in records if record.verdict is verdict))

    async def recall(self, events: Sequence[MessageRecalled], work: Work) -> None:
        """Note withdrawn messages; what was judged stays judged."""
        await archive.mark_recalled(work, {event.data.message_id: event.data.recalled_by for event in events})


def _customers(events: Iterable[Messages]) -> set[tuple[str, str]]:
    return {
        (event.data.group_id, event.data.sender.member_id)
        for event in events
        if event.data.sender.role is Role.CUSTOMER
    }


def _answer(event: Messages, decision: Decision, standing: Standing | None, owner: str | None, work: Work) -> Requests:
    """What a verdict other than allow leads to: deletion, caution, and a rung of the ladder."""
    leading = decision.leading
    if leading is None or decision.verdict is Verdict.REVIEW:
        return []
    message = decision.message
    offence = enforcement.Offence(
        group_id=message.group_id,
        member_id=message.sender.member_id,
        message_id=message.message_id,
        category=leading.reason.category,
        display_name=message.sender.display_name,
        at=work.now,
    )
    if standing is None:
        return [(enforcement.notice_to_staff(offence, new_id()), event)]
    requests: Requests = []
    if decision.verdict is Verdict.BLOCK:
        requests.append((enforcement.deletion(offence, new_id()), event))
    if offence.category == CONSENT:
        return requests  # no offence: they are told how to be heard
    if enforcement.is_personal(offence.category):
        requests.append((enforcement.caution(offence, new_id()), event))
    climb = add_strike(standing, _strike(decision, offence), decision.policy.rules.ladder)
    if climb is not None:
        sanction_id = new_id()
        requests.append((enforcement.sanction(offence, climb, owner, new_id()), event))
        _announce(event, offence, climb, sanction_id, work)
    return requests


def _strike(decision: Decision, offence: enforcement.Offence) -> Strike:
    weight = _weight(decision.policy, offence.category) * (2 if decision.verdict is Verdict.BLOCK else 1)
    return Strike(new_id(), offence.message_id, offence.category, weight, offence.at)


def _weight(policy: Policy, category: str) -> float:
    weights = policy.rules.ladder.weights
    return weights.get("personal_data" if enforcement.is_personal(category) else category, 1.0)


def _announce(event: Messages, offence: enforcement.Offence, climb: Climb, sanction_id: str, work: Work) -> None:
    sanction = Sanction(
        sanction_id=sanction_id,
        group_id=offence.group_id,
        member_id=offence.member_id,
        kind=climb.kind,
        category=offence.category,
        rung=climb.rung,
        message_id=offence.message_id,
        until=climb.until,
    )
    work.emit(MemberSanctioned.about(offence.group_id, sanction, time=work.now, cause=event))
    if climb.kind is SanctionKind.MUTE and climb.until is not None:
        payload = {"group_id": offence.group_id, "member_id": offence.member_id, "sanction_id": sanction_id}
        # One timer a member: a longer mute moves the end of the shorter one.
        work.schedule(Timer(f"mute/{key_of(offence.group_id, offence.member_id)}", MUTE_ENDS, climb.until, payload))
