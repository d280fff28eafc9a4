"""Hear what members say to us: that they agree to the rules, or how to leave."""

from collections.abc import Callable, Sequence
from typing import Literal

from huiqun.channel.actions.context import ActionContext
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import member_key
from huiqun.contracts.channel import Action, MessageEdited, MessageReceived, Role
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import ConsentGiven, GivenConsent
from huiqun.runtime.ids import new_id
from huiqun.work import Work
from moderation.membership.handlers.greeting import reminder_key
from moderation.membership.model.actions import Letter, to_group
from moderation.membership.model.consent import (
    LONGEST_REPLY,
    Consent,
    ConsentState,
    agrees,
    asks_to_leave,
    plainly,
    version_of,
)
from moderation.membership.store import consent_states, consents, groups
from moderation.metrics import CONSENTS
from moderation.policies.model import LeavingRule, Policies, Policy
from moderation.rulebook.model import Rulebook

Heard = tuple[MessageReceived, Policy]


class Replies:
    """The use cases of what members answer; `rulebook` gives the policies in force at the moment."""

    def __init__(self, rulebook: Callable[[], Rulebook], directory: Directory) -> None:
        self._rulebook = rulebook
        self._directory = directory

    async def hear(self, work: Work, events: Sequence[MessageReceived | MessageEdited]) -> None:
        """Take consents, and answer who asks how to leave; costs next to nothing where no policy wants either."""
        policies = self._rulebook().policies
        if not _anybody_listens(policies):
            return
        agreeing: list[Heard] = []
        leaving: dict[str, tuple[MessageReceived, LeavingRule]] = {}
        for event in events:
            message = event.data
            if isinstance(event, MessageEdited) or message.sender.role is not Role.CUSTOMER:
                continue
            if not message.text or len(message.text) > LONGEST_REPLY:
                continue
            policy = policies.policy_of(policies.settings_of(message.group_id))
            consent, farewell = policy.rules.membership.consent, policy.rules.membership.leaving
            if consent is None and farewell is None:
                continue
            said = plainly(message.text)
            if consent is not None and agrees(said, consent):
                agreeing.append((event, policy))
            elif farewell is not None and asks_to_leave(said, farewell):
                leaving.setdefault(message.group_id, (event, farewell))
        if agreeing:
            await self._directory.record_senders(work, [event for event, _ in agreeing])
            await _take(work, agreeing)
        if leaving:
            await _answer(work, leaving)


async def give_consent(
    work: Work, state: ConsentState, policy: Policy, channel: str, cause: Event | None = None
) -> Consent | None:
    """Note that a member agrees to the rules of the policy; None if that was known. The caller saves the state.

    Without a message that says so as the cause, they did so by a link.
    """
    version = version_of(policy.rules.membership)
    if version is None or state.agreed_to == version:
        return None
    given_by: Literal["reply", "link"] = "link" if cause is None else "reply"
    state.agreed_to, state.agreed_at = version, work.now
    work.cancel(reminder_key(state.key))
    data = GivenConsent(
        channel=channel,
        group_id=state.group_id,
        member_id=state.member_id,
        rules_version=version,
        policy_version=policy.label,
        given_by=given_by,
    )
    work.emit(ConsentGiven.create(state.group_id, data, time=work.now, cause=cause))
    CONSENTS.labels(by=given_by).inc()
    return Consent(new_id(), state.group_id, state.member_id, version, policy.label, given_by, work.now)


def _anybody_listens(policies: Policies) -> bool:
    sections = (policy.rules.membership for policy in policies.all())
    return any(rules.consent is not None or rules.leaving is not None for rules in sections)


async def _take(work: Work, agreeing: Sequence[Heard]) -> None:
    pairs = {(event.data.group_id, event.data.sender.member_id) for event, _ in agreeing}
    known = await consent_states.load(work, pairs)
    given = []
    read = {}
    for event, policy in agreeing:
        pair = event.data.group_id, event.data.sender.member_id
        state = known.setdefault(member_key(*pair), ConsentState(*pair))
        consent = await give_consent(work, state, policy, event.source, event)
        if consent is not None:
            given.append(consent)
            read[consent.rules_version] = policy.rules.membership
    await consent_states.save(work, known.values())
    await consents.append(work, given, read)


async def _answer(work: Work, leaving: dict[str, tuple[MessageReceived, LeavingRule]]) -> None:
    states = await groups.load(work, leaving)
    answers: list[Action] = []
    contexts: dict[str, ActionContext] = {}
    for group_id, (event, rule) in leaving.items():
        state = states[group_id]
        if state.may_answer_leaving(rule, work.now):
            state.leaving_answered_at = work.now
            letter = Letter(group_id, AddressedText(rule.text), "leaving", event.data.sender.member_id)
            answers.append(answer := to_group(letter, work.now))
            contexts[answer.action_id] = ActionContext(event)
    await groups.save(work, states.values())
    await request_actions(work, *answers, contexts=contexts)
