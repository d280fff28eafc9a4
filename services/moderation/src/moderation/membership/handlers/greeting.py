"""Greet newcomers together, ask them to agree to the rules, and remind who has not."""

from collections.abc import Sequence
from datetime import timedelta

from huiqun.contracts.channel import Action, Role
from huiqun.work import Task, Work
from moderation.enforcement.handlers import request_actions
from moderation.membership.handlers.in_force import InForce, in_force
from moderation.membership.model import words
from moderation.membership.model.actions import Letter, in_private, to_group
from moderation.membership.model.consent import has_agreed
from moderation.membership.model.links import Holder, Links
from moderation.membership.model.roster import Member, key_of
from moderation.membership.store import groups, members
from moderation.policies.model import ConsentRule

WELCOME = "membership.welcome"
REMIND = "membership.remind"
RENEW = "membership.renew"


class Greeting:
    """The use cases of greeting; `links` makes the pages on which members agree."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def greet(self, work: Work, task: Task) -> None:
        """Welcome everybody who came since the last time and is still there, in one message."""
        group_id = task.payload["group_id"]
        state = (await groups.load(work, [group_id]))[group_id]
        noted, state.newcomers, state.greet_at = state.newcomers, {}, None
        await groups.save(work, [state])
        now = await in_force(work.db, group_id, work.session)
        known = await members.load(work, ((group_id, member_id) for member_id in noted))
        came = [known[key] for member_id in noted if (key := key_of(group_id, member_id)) in known]
        present = [member for member in came if member.is_present and member.role is Role.CUSTOMER]
        greeted = {member.member_id: noted[member.member_id] for member in present}
        text = words.greeting(now.rules, now.group.name, greeted)
        if now.is_dismissed or not present or not text.content:
            return
        addressed = present[0].member_id if len(present) == 1 else None
        actions = [to_group(Letter(group_id, text, "welcome", addressed), work.now)]
        if now.rules.consent is not None:
            unasked = [member for member in present if not has_agreed(member, now.rules)]
            actions += await self._ask(unasked, now, now.rules.consent, work)
        await request_actions(work, [(action, None) for action in actions])

    async def renew(self, work: Work, task: Task) -> None:
        """The rules have changed: whoever has not agreed to these is asked, and reminded in time."""
        now = await in_force(work.db, task.payload["group_id"], work.session)
        if now.is_dismissed or now.rules.consent is None:
            return
        present = await members.roster(work, now.group.id)
        unasked = [member for member in present if member.role is Role.CUSTOMER and not has_agreed(member, now.rules)]
        actions = await self._ask(unasked, now, now.rules.consent, work)
        await request_actions(work, [(action, None) for action in actions])

    async def remind(self, work: Work, task: Task) -> None:
        """Remind a member who has not agreed yet, and set the next time if there is one."""
        group_id, member_id = task.payload["group_id"], task.payload["member_id"]
        member = await members.find(work.db, group_id, member_id, work.session)
        now = await in_force(work.db, group_id, work.session)
        consent = now.rules.consent
        if member is None or not member.is_present or now.is_dismissed:
            return
        if consent is None or has_agreed(member, now.rules):
            return
        text = words.reminder(now.rules, now.group.name, self._link(member, consent, work))
        letter = Letter(group_id, text, "consent", member_id)
        await request_actions(work, [(in_private(letter, work.now), None)])
        _schedule_reminder(member, consent, task.payload["left"] - 1, work)

    async def _ask(self, asked: Sequence[Member], now: InForce, consent: ConsentRule, work: Work) -> list[Action]:
        """Note that the members are asked from now on; returns the private pages to send them, if there are any."""
        actions = []
        for member in asked:
            member.asked_at = work.now
            _schedule_reminder(member, consent, consent.reminders, work)
            link = self._link(member, consent, work)
            if link is not None:
                letter = Letter(now.group.id, words.invitation(now.group.name, link), "consent", member.member_id)
                actions.append(in_private(letter, work.now))
        await members.save(work, asked)
        return actions

    def _link(self, member: Member, consent: ConsentRule, work: Work) -> str | None:
        if not consent.by_link:
            return None
        holder = Holder(member.group_id, member.member_id)
        return self._links.to(holder, work.now + timedelta(hours=consent.link_hours))


def reminder_key(member: Member) -> str:
    """The key of the task that reminds this member."""
    return f"consent/{member.key}"


def _schedule_reminder(member: Member, consent: ConsentRule, left: int, work: Work) -> None:
    if left > 0:
        due = work.now + timedelta(hours=consent.remind_after_hours)
        payload = {"group_id": member.group_id, "member_id": member.member_id, "left": left}
        work.schedule(Task(reminder_key(member), REMIND, due, payload))
