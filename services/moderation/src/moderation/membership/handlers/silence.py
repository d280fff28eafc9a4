"""Whose messages are not heard because they have not agreed to the rules, and telling them so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.model import member_key
from huiqun.contracts.channel import Message, Role
from huiqun.work import Work
from moderation.membership.model import words
from moderation.membership.model.actions import Letter, in_private
from moderation.membership.model.consent import ConsentState, may_speak, needs_hint
from moderation.membership.store import consent_states
from moderation.policies.model import Policy
from moderation.policies.sections.section import Outcome


@dataclass(frozen=True, slots=True)
class Silenced:
    """A member who has not agreed in time, and what the policy wants done with what they write."""

    state: ConsentState
    policy: Policy
    outcome: Outcome


async def find_silenced(work: Work, messages: Sequence[Message], policies: Sequence[Policy]) -> dict[str, Silenced]:
    """The senders who may not write yet, by key; one read for the batch, and none where no policy asks for consent."""
    asked: dict[str, tuple[Message, Policy, Outcome]] = {}
    for message, policy in zip(messages, policies, strict=True):
        consent = policy.rules.membership.consent
        if consent is not None and consent.verdict is not None and message.sender.role is Role.CUSTOMER:
            asked[member_key(message.group_id, message.sender.member_id)] = message, policy, consent.verdict
    pairs = {(message.group_id, message.sender.member_id) for message, _, _ in asked.values()}
    known = await consent_states.load(work, pairs)
    return {
        key: Silenced(known[key], policy, outcome)
        for key, (message, policy, outcome) in asked.items()
        if not may_speak(known.get(key), message.sender.role, policy, work.now)
    }


async def tell_why(work: Work, silenced: Iterable[Silenced]) -> None:
    """Tell them in private how to be heard: once an hour, whatever they write."""
    told = [each for each in silenced if needs_hint(each.state, work.now)]
    if not told:
        return
    letters = [
        Letter(each.state.group_id, words.hint(each.policy.rules.membership, ""), "consent", each.state.member_id)
        for each in told
    ]
    await request_actions(work, *(in_private(letter, work.now) for letter in letters))
    await consent_states.note_hints(work, [each.state for each in told], work.now)
