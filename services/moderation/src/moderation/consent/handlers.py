"""Take the consent that members give by a reply or a link, and tell who writes without what helps."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember, member_key
from huiqun.channel.directory.store import find_member
from huiqun.contracts.channel import Action, Message, MessageEdited, MessageReceived, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import ConsentGiven, GivenConsent
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Work
from moderation.consent import store
from moderation.consent.model import (
    LONGEST_REPLY,
    Consent,
    ConsentLinkHolder,
    ConsentState,
    ConsentStep,
    consent_hint,
    consent_message,
    has_agreed,
    is_consent_reply,
    may_speak,
    needs_hint,
    normalize_reply,
    reminder_key,
    rules_version_of,
)
from moderation.group_policies.handlers import get_group_context
from moderation.group_policies.model import GroupContext
from moderation.groups.handlers import get_group
from moderation.metrics import CONSENTS
from moderation.policies.model import Policy
from moderation.policies.sections.section import Outcome
from moderation.rulebook.model import PolicySnapshot

Reply = tuple[MessageReceived, Policy]


async def record_consent_replies(
    work: Work, events: Sequence[MessageReceived | MessageEdited], policies: PolicySnapshot, directory: Directory
) -> None:
    """Take the consents that messages give; costs next to nothing where no policy asks for any."""
    if not any(policy.rules.membership.consent is not None for policy in policies.list_policies()):
        return
    replies: list[Reply] = []
    for event, reply in list_replies(events):
        policy = policies.policy_of(policies.settings_of(event.data.group_id))
        consent = policy.rules.membership.consent
        if consent is not None and is_consent_reply(normalize_reply(reply), consent):
            replies.append((event, policy))
    if replies:
        await directory.record_senders(work, [event for event, _ in replies])
        await _record_consents(work, replies)


def list_replies(events: Sequence[MessageReceived | MessageEdited]) -> Iterator[tuple[MessageReceived, str]]:
    """List the messages of customers that are short enough to be a reply, each with its text."""
    for event in events:
        message = event.data
        if isinstance(event, MessageEdited) or message.sender.role is not Role.CUSTOMER:
            continue
        if message.text and len(message.text) <= LONGEST_REPLY:
            yield event, message.text


async def _record_consents(work: Work, replies: Sequence[Reply]) -> None:
    known = await store.list_consent_states_of(
        work, {(event.data.group_id, event.data.sender.member_id) for event, _ in replies}
    )
    given = []
    read = {}
    for event, policy in replies:
        pair = event.data.group_id, event.data.sender.member_id
        state = known.setdefault(member_key(*pair), ConsentState(*pair))
        consent = _give_consent(work, state, policy, event.source, event)
        if consent is not None:
            given.append(consent)
            read[consent.rules_version] = policy.rules.membership
    await store.save_consent_states(work, known.values())
    await store.append_consents(work, given, read)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the holder of a link is to agree to, or already has."""

    step: ConsentStep
    group_name: str
    rules_text: str | None
    rules_url: str | None
    version: str | None


async def get_agreement(reader: Reader, holder: ConsentLinkHolder) -> Agreement:
    """Read what the holder of a link is asked at this moment."""
    agreement, _, _ = await _read_agreement(reader, holder)
    return agreement


async def agree_by_link(work: Work, holder: ConsentLinkHolder, version: str) -> Agreement:
    """Have the holder agree to the rules of this version; where they are others by now, these are asked anew."""
    agreement, state, context = await _read_agreement(work, holder)
    if agreement.step is not ConsentStep.ASKED or agreement.version != version:
        return agreement
    consent = _give_consent(work, state, context.policy, context.group.settings.channel)
    if consent is not None:
        await store.save_consent_states(work, [state])
        await store.append_consents(work, [consent], {consent.rules_version: context.rules.membership})
    return _agreement(ConsentStep.AGREED, context)


async def _read_agreement(reader: Reader, holder: ConsentLinkHolder) -> tuple[Agreement, ConsentState, GroupContext]:
    context = await get_group_context(reader, holder.group_id)
    member = await find_member(reader, holder.group_id, holder.member_id)
    state = await store.get_consent_state(reader, holder.group_id, holder.member_id)
    if member is None or not member.is_present or context.is_dismissed:
        step = ConsentStep.GONE
    elif context.rules.membership.consent is None:
        step = ConsentStep.NOT_ASKED
    else:
        step = ConsentStep.AGREED if has_agreed(state, context.rules.membership) else ConsentStep.ASKED
    return _agreement(step, context), state, context


def _agreement(step: ConsentStep, context: GroupContext) -> Agreement:
    rules = context.rules.membership
    return Agreement(step, context.group.name, rules.rules_text, rules.rules_url, rules_version_of(rules))


def _give_consent(
    work: Work, state: ConsentState, policy: Policy, channel: str, cause: Event | None = None
) -> Consent | None:
    """Note that a member agrees to the rules of the policy; None if that was known. The caller saves the state.

    Without a message that says so as the cause, they did so by a link.
    """
    version = rules_version_of(policy.rules.membership)
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


@dataclass(frozen=True, slots=True)
class UnconsentedSender:
    """A member who has not agreed in time, and what the policy wants done with what they write."""

    state: ConsentState
    policy: Policy
    outcome: Outcome


async def list_unconsented_senders(
    work: Work, messages: Sequence[Message], policies: Sequence[Policy]
) -> dict[str, UnconsentedSender]:
    """List the senders who may not write yet, by key; one read for the batch, none where no policy asks for consent."""
    asked: dict[str, tuple[Message, Policy, Outcome]] = {}
    for message, policy in zip(messages, policies, strict=True):
        consent = policy.rules.membership.consent
        if consent is not None and consent.verdict is not None and message.sender.role is Role.CUSTOMER:
            asked[member_key(message.group_id, message.sender.member_id)] = message, policy, consent.verdict
    pairs = {(message.group_id, message.sender.member_id) for message, _, _ in asked.values()}
    known = await store.list_consent_states_of(work, pairs)
    return {
        key: UnconsentedSender(known[key], policy, outcome)
        for key, (message, policy, outcome) in asked.items()
        if not may_speak(known.get(key), message.sender.role, policy, work.now)
    }


async def hint_unconsented_senders(work: Work, senders: Iterable[UnconsentedSender]) -> list[Action]:
    """Return what tells them in private how to be heard: once an hour, whatever they write."""
    hinted = [sender for sender in senders if needs_hint(sender.state, work.now)]
    if not hinted:
        return []
    names = {group_id: (await get_group(work, group_id)).name for group_id in {each.state.group_id for each in hinted}}
    actions = []
    for sender in hinted:
        group_id, rules = sender.state.group_id, sender.policy.rules.membership
        text = consent_hint(rules, names[group_id], sender.outcome)
        actions.append(consent_message(group_id, sender.state.member_id, text, work.now))
    await store.save_hints(work, [sender.state for sender in hinted], work.now)
    return actions


async def list_consent_states(reader: Reader, members: Sequence[DirectoryMember]) -> Mapping[str, ConsentState]:
    """List where these members stand with the rules of their groups, by key."""
    known = await store.list_consent_states(reader, [member.key for member in members])
    return {member.key: known.get(member.key) or ConsentState(member.group_id, member.member_id) for member in members}


async def save_asked_states(work: Work, states: Sequence[ConsentState]) -> None:
    """Note that these members have been asked to agree."""
    await store.save_consent_states(work, states)


async def record_moves(work: Work, departed: Iterable[DirectoryMember], returned: Iterable[DirectoryMember]) -> None:
    """Have nobody reminded who has gone, and keep where they stood as long as the directory keeps them."""
    gone = list(departed)
    for member in gone:
        work.cancel(reminder_key(member.key))
    await store.save_moves(work, [*gone, *returned])
