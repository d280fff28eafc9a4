"""Keep the roster as members come, go and change, and gather newcomers to be greeted together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from huiqun.contracts.channel import MemberJoined, MemberLeft, MemberUpdated, Role
from huiqun.contracts.channel.shown_names import clean_name
from huiqun.contracts.envelope import Event
from huiqun.runtime.clock import whole_milliseconds
from huiqun.work import Task, Work
from moderation.membership.handlers.greeting import WELCOME, reminder_key
from moderation.membership.model.group_state import GroupState
from moderation.membership.model.roster import Member, Stamp, describe, join, key_of, leave
from moderation.membership.store import groups, members
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook

Changes = MemberJoined | MemberLeft | MemberUpdated
_MOST_GREETED = 500
# Who came longer ago than this is no newcomer: the events were late, or are being read again.
_STILL_NEW = timedelta(hours=24)
# A greeting that has not come by then never will: its task failed too often.
_OVERDUE = timedelta(hours=1)


class Roster:
    """The use cases of the roster; `rulebook` gives the policies, groups and lexicon in force at the moment."""

    def __init__(self, rulebook: Callable[[], Rulebook]) -> None:
        self._rulebook = rulebook

    async def record_members(self, events: Sequence[Changes], work: Work) -> None:
        """Note who came, went or changed."""
        known = await members.load(work, {(event.data.group_id, event.data.member_id) for event in events})
        arrived: dict[str, Member] = {}
        for event in events:
            data, stamp = event.data, _stamp(event)
            key = key_of(data.group_id, data.member_id)
            member = known.setdefault(key, Member(data.group_id, data.member_id))
            if isinstance(event, MemberJoined):
                if join(member, data, stamp):
                    arrived[key] = member
            elif isinstance(event, MemberLeft):
                if leave(member, event.data, stamp):
                    arrived.pop(key, None)
                    work.cancel(reminder_key(member))
            else:
                describe(member, data, stamp)
        await members.save(work, known.values())
        newcomers = [member for member in arrived.values() if _is_new(member, work)]
        if newcomers:
            await self._gather(newcomers, work)

    async def _gather(self, newcomers: Sequence[Member], work: Work) -> None:
        """Put newcomers on the list of those to be greeted, and set the time if they are the first on it."""
        rulebook = self._rulebook()
        policies = {member.group_id: _policy_of(rulebook, member.group_id) for member in newcomers}
        greeted = [member for member in newcomers if _greets(policies[member.group_id])]
        if not greeted:
            return
        nameable = _nameable(greeted, policies, rulebook, work)
        states = await groups.load(work, {member.group_id for member in greeted})
        for member in greeted:
            state = states[member.group_id]
            _set_time(state, policies[member.group_id], work)
            if len(state.newcomers) < _MOST_GREETED:
                state.newcomers[member.member_id] = member.key in nameable
        await groups.save(work, states.values())


def _stamp(event: Event) -> Stamp:
    return whole_milliseconds(event.time), event.id


def _is_new(member: Member, work: Work) -> bool:
    came = member.joined_at
    return came is not None and member.role is Role.CUSTOMER and work.now - came < _STILL_NEW


def _policy_of(rulebook: Rulebook, group_id: str) -> Policy:
    return rulebook.policies.policy_of(rulebook.policies.settings_of(group_id))


def _greets(policy: Policy) -> bool:
    rules = policy.rules.membership
    return rules.welcome is not None or rules.consent is not None


def _nameable(newcomers: Iterable[Member], policies: Mapping[str, Policy], rulebook: Rulebook, work: Work) -> set[str]:
    """The keys of those who may be greeted by name: not by one that their group would not let pass as a message."""
    named = {member.key: (clean_name(member.display_name), policies[member.group_id]) for member in newcomers}
    masks = [rulebook.mask_of(policy) for _, policy in named.values()]
    hits = rulebook.lexicon.scan([name for name, _ in named.values()], masks, work.now.date())
    return {key for (key, (name, _)), found in zip(named.items(), hits, strict=True) if name and not found}


def _set_time(state: GroupState, policy: Policy, work: Work) -> None:
    if state.greet_at is not None and work.now - state.greet_at < _OVERDUE:
        return
    welcome = policy.rules.membership.welcome
    state.greet_at = work.now + timedelta(seconds=welcome.window_seconds if welcome else 30)
    work.schedule(Task(f"welcome/{state.group_id}", WELCOME, state.greet_at, {"group_id": state.group_id}))
