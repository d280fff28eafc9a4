"""Keep the roster as members come, go and change, and gather newcomers to be greeted together."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from huiqun.channel.directory.fold import RosterEvent
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember
from huiqun.contracts.channel import Role
from huiqun.contracts.channel.shown_names import clean_name
from huiqun.work import Task, Work
from moderation.membership.handlers.greeting import WELCOME, reminder_key
from moderation.membership.model.group_state import GroupState
from moderation.membership.store import consent_states, groups
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook

_MOST_GREETED = 500
# Who came longer ago than this is no newcomer: the events were late, or are being read again.
_STILL_NEW = timedelta(hours=24)
# A greeting that has not come by then never will: its task failed too often.
_OVERDUE = timedelta(hours=1)


class Roster:
    """The use cases of the roster; `rulebook` gives the policies, groups and lexicon in force at the moment."""

    def __init__(self, rulebook: Callable[[], Rulebook], directory: Directory) -> None:
        self._rulebook = rulebook
        self._directory = directory

    async def record_members(self, work: Work, events: Sequence[RosterEvent]) -> None:
        """Note who came, went or changed."""
        changes = await self._directory.record_events(work, events)
        for member in changes.departed.values():
            work.cancel(reminder_key(member.key))
        await consent_states.note_moves(work, [*changes.departed.values(), *changes.returned.values()])
        newcomers = [member for member in changes.arrived.values() if _is_new(work, member)]
        if newcomers:
            await self._gather(work, newcomers)

    async def _gather(self, work: Work, newcomers: Sequence[DirectoryMember]) -> None:
        """Put newcomers on the list of those to be greeted, and set the time if they are the first on it."""
        rulebook = self._rulebook()
        policies = {member.group_id: _policy_of(rulebook, member.group_id) for member in newcomers}
        greeted = [member for member in newcomers if _greets(policies[member.group_id])]
        if not greeted:
            return
        nameable = await self._find_nameable(work, greeted, policies, rulebook)
        states = await groups.load(work, {member.group_id for member in greeted})
        for member in greeted:
            state = states[member.group_id]
            _set_time(work, state, policies[member.group_id])
            if len(state.newcomers) < _MOST_GREETED:
                state.newcomers[member.member_id] = member.key in nameable
        await groups.save(work, states.values())

    async def _find_nameable(
        self, work: Work, newcomers: Sequence[DirectoryMember], policies: Mapping[str, Policy], rulebook: Rulebook
    ) -> set[str]:
        """The keys of those who may be greeted by name: not by one that their group would not let pass as a message."""
        known = await self._directory.reveal_personal_details(newcomers)
        names = [clean_name(known[member.key].display_name) for member in newcomers]
        masks = [rulebook.mask_of(policies[member.group_id]) for member in newcomers]
        hits = rulebook.lexicon.scan(names, masks, work.now.date())
        found = zip(newcomers, names, hits, strict=True)
        return {member.key for member, name, hit in found if name and not hit}


def _is_new(work: Work, member: DirectoryMember) -> bool:
    came = member.joined_at
    return came is not None and member.role is Role.CUSTOMER and work.now - came < _STILL_NEW


def _policy_of(rulebook: Rulebook, group_id: str) -> Policy:
    return rulebook.policies.policy_of(rulebook.policies.settings_of(group_id))


def _greets(policy: Policy) -> bool:
    rules = policy.rules.membership
    return rules.welcome is not None or rules.consent is not None


def _set_time(work: Work, state: GroupState, policy: Policy) -> None:
    if state.greet_at is not None and work.now - state.greet_at < _OVERDUE:
        return
    welcome = policy.rules.membership.welcome
    state.greet_at = work.now + timedelta(seconds=welcome.window_seconds if welcome else 30)
    trace = work.trace_on(state.group_id)
    payload = {"group_id": state.group_id}
    work.schedule(Task(f"welcome/{state.group_id}", WELCOME, state.greet_at, payload, traceparent=trace))
