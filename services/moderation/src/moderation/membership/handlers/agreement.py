"""Let who holds a signed link read the rules and agree to them."""

from dataclasses import dataclass
from enum import StrEnum

from huiqun.channel.directory.model import DirectoryMember
from huiqun.channel.directory.store import find_member
from huiqun.store import Reader
from huiqun.work import Work
from moderation.membership.handlers.in_force import InForce, in_force
from moderation.membership.handlers.replies import give_consent
from moderation.membership.model.consent import ConsentState, has_agreed, version_of
from moderation.membership.model.links import Holder
from moderation.membership.store import consent_states, consents


class Step(StrEnum):
    """Where the holder of a link stands."""

    ASKED = "asked"
    AGREED = "agreed"
    GONE = "gone"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the holder is to agree to, or already has."""

    step: Step
    group_name: str
    rules_text: str | None
    rules_url: str | None
    version: str | None


async def find_agreement(reader: Reader, holder: Holder) -> Agreement:
    """What the holder of a link is asked at this moment."""
    found, _, _ = await _find(reader, holder)
    return found


async def agree_by_link(work: Work, holder: Holder, version: str) -> Agreement:
    """The holder agrees to the rules of this version; where they are others by now, these are asked anew."""
    found, state, now = await _find(work, holder)
    if found.step is not Step.ASKED or found.version != version:
        return found
    consent = await give_consent(work, state, now.policy, now.group.settings.channel)
    if consent is not None:
        await consent_states.save(work, [state])
        await consents.append(work, [consent], {consent.rules_version: now.rules})
    return _agreement(Step.AGREED, now)


async def _find(reader: Reader, holder: Holder) -> tuple[Agreement, ConsentState, InForce]:
    now = await in_force(reader, holder.group_id)
    member = await find_member(reader, holder.group_id, holder.member_id)
    state = await consent_states.find(reader, holder.group_id, holder.member_id)
    return _agreement(_step(member, state, now), now), state, now


def _step(member: DirectoryMember | None, state: ConsentState, now: InForce) -> Step:
    if member is None or not member.is_present or now.is_dismissed:
        return Step.GONE
    if now.rules.consent is None:
        return Step.NOT_ASKED
    return Step.AGREED if has_agreed(state, now.rules) else Step.ASKED


def _agreement(step: Step, now: InForce) -> Agreement:
    rules = now.rules
    return Agreement(step, now.group.name, rules.rules_text, rules.rules_url, version_of(rules))
