"""Greet newcomers together, ask them to agree to the rules, and remind who has not."""

from collections.abc import Sequence
from datetime import timedelta

from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.model import DirectoryMember, member_key
from huiqun.channel.directory.store import find_member, list_present_members, read_directory
from huiqun.contracts.channel import Action, Role
from huiqun.privacy.links import SignedLinks
from huiqun.work import Task, Work
from moderation.membership.handlers.in_force import InForce, in_force
from moderation.membership.model import words
from moderation.membership.model.actions import Letter, in_private, to_group
from moderation.membership.model.consent import ConsentState, has_agreed
from moderation.membership.model.links import CONSENT, Holder
from moderation.membership.store import consent_states, groups
from moderation.policies.model import ConsentRule

WELCOME = "membership.welcome"
REMIND = "membership.remind"
RENEW = "membership.renew"


class Greeting:
    """The use cases of greeting; `links` makes the pages on which members agree."""

    def __init__(self, links: SignedLinks) -> None:
        self._links = links

    async def greet(self, work: Work, task: Task) -> None:
        """Welcome everybody who came since the last time and is still there, in one message."""
        group_id = task.payload["group_id"]
        state = (await groups.load(work, [group_id]))[group_id]
        noted, state.newcomers, state.greet_at = state.newcomers, {}, None
        await groups.save(work, [state])
        now = await in_force(work, group_id)
        known = await read_directory(work, members=[(group_id, member_id) for member_id in noted])
        came = [known.member(group_id, member_id) for member_id in noted]
        present = [member for member in came if member.is_present and member.role is Role.CUSTOMER]
        greeted = {member.member_id: noted[member.member_id] for member in present}
        text = words.greeting(now.rules, now.group.name, greeted)
        if now.is_dismissed or not present or not text.content:
            return
        addressed = present[0].member_id if len(present) == 1 else None
        actions = [to_group(Letter(group_id, text, "welcome", addressed), work.now)]
        if now.rules.consent is not None:
            actions += await self._ask(work, present, now, now.rules.consent)
        await request_actions(work, *actions)

    async def renew(self, work: Work, task: Task) -> None:
        """The rules have changed: whoever has not agreed to these is asked, and reminded in time."""
        now = await in_force(work, task.payload["group_id"])
        if now.is_dismissed or now.rules.consent is None:
            return
        present = await list_present_members(work, now.group.id)
        customers = [member for member in present if member.role is Role.CUSTOMER]
        actions = await self._ask(work, customers, now, now.rules.consent)
        await request_actions(work, *actions)

    async def remind(self, work: Work, task: Task) -> None:
        """Remind a member who has not agreed yet, and set the next time if there is one."""
        group_id, member_id = task.payload["group_id"], task.payload["member_id"]
        member = await find_member(work, group_id, member_id)
        now = await in_force(work, group_id)
        consent = now.rules.consent
        if member is None or not member.is_present or now.is_dismissed:
            return
        state = await consent_states.find(work, group_id, member_id)
        if consent is None or has_agreed(state, now.rules):
            return
        text = words.reminder(now.rules, now.group.name, self._link(work, state, consent))
        letter = Letter(group_id, text, "consent", member_id)
        await request_actions(work, in_private(letter, work.now))
        _schedule_reminder(work, state, consent, task.payload["left"] - 1)

    async def _ask(
        self, work: Work, members: Sequence[DirectoryMember], now: InForce, consent: ConsentRule
    ) -> list[Action]:
        """Note that those who have not agreed are asked from now on; returns the private pages to send them, if any."""
        pairs = [(member.group_id, member.member_id) for member in members]
        known = await consent_states.load(work, pairs)
        states = [known.get(member_key(*pair)) or ConsentState(*pair) for pair in pairs]
        asked = [state for state in states if not has_agreed(state, now.rules)]
        actions = []
        for state in asked:
            state.asked_at = work.now
            _schedule_reminder(work, state, consent, consent.reminders)
            link = self._link(work, state, consent)
            if link is not None:
                letter = Letter(now.group.id, words.invitation(now.group.name, link), "consent", state.member_id)
                actions.append(in_private(letter, work.now))
        await consent_states.save(work, asked)
        return actions

    def _link(self, work: Work, state: ConsentState, consent: ConsentRule) -> str | None:
        if not consent.by_link or not self._links.has_public_url:
            return None
        holder = Holder(state.group_id, state.member_id)
        return self._links.create_url(CONSENT, holder.claims, work.now + timedelta(hours=consent.link_hours))


def reminder_key(key: str) -> str:
    """The key of the task that reminds the member of this key."""
    return f"consent/{key}"


def _schedule_reminder(work: Work, state: ConsentState, consent: ConsentRule, left: int) -> None:
    if left > 0:
        due = work.now + timedelta(hours=consent.remind_after_hours)
        payload = {"group_id": state.group_id, "member_id": state.member_id, "left": left}
        work.schedule(Task(reminder_key(state.key), REMIND, due, payload))
