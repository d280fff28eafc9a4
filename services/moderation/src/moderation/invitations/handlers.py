"""Ask members to agree to the rules, newcomers and those to whom other rules apply, and remind who has not agreed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.model import DirectoryMember
from huiqun.channel.directory.store import find_member, list_present_members
from huiqun.contracts.channel import Action, Role
from huiqun.privacy.links import SignedLinks
from huiqun.work import Task, Work
from moderation.consent.handlers import list_consent_states, save_asked_states
from moderation.consent.model import (
    CONSENT_LINK,
    ConsentLinkHolder,
    ConsentState,
    consent_message,
    has_agreed,
    reminder_key,
)
from moderation.group_policies.handlers import get_group_context
from moderation.group_policies.model import GroupContext
from moderation.invitations.model import consent_invitation, consent_reminder, consent_renewal
from moderation.policies.sections.consent import ConsentRule

REMIND_OF_CONSENT: Final = "membership.remind"
RENEW_CONSENTS: Final = "membership.renew"


class ConsentRequests:
    """The use cases of asking for consent; `links` makes the pages on which members agree."""

    def __init__(self, links: SignedLinks) -> None:
        self._links = links

    def sends_links(self, consent: ConsentRule | None) -> bool:
        """Whether each who is asked is sent a page to agree on, in private."""
        return consent is not None and consent.by_link and self._links.has_public_url

    async def ask_members(
        self, work: Work, members: Sequence[DirectoryMember], context: GroupContext, *, renewed: bool = False
    ) -> list[Action]:
        """Note that those who have not agreed are asked from now on; returns the private pages to send them, if any.

        `renewed` where they are no newcomers, but other rules apply to them.
        """
        consent = context.rules.membership.consent
        if consent is None:
            return []
        states = await list_consent_states(work, members)
        asked = [state for state in states.values() if not has_agreed(state, context.rules.membership)]
        actions = []
        for state in asked:
            if (link := self._make_link(work, state, consent)) is not None:
                name, asked_before = context.group.name, state.asked_at is not None or state.agreed_to is not None
                text = consent_invitation(name, link)
                if renewed:
                    text = consent_renewal(name, link, asked_before=asked_before)
                actions.append(consent_message(state.group_id, state.member_id, text, work.now))
            state.asked_at = work.now
            _schedule_reminder(work, state, consent, consent.reminders)
        await save_asked_states(work, asked)
        return actions

    async def renew_consents(self, work: Work, task: Task) -> None:
        """The rules have changed: whoever has not agreed to these is asked, and reminded in time."""
        context = await get_group_context(work, task.payload["group_id"])
        if context.is_dismissed or context.rules.membership.consent is None:
            return
        present = await list_present_members(work, context.group.id)
        customers = [member for member in present if member.role is Role.CUSTOMER]
        await request_actions(work, *await self.ask_members(work, customers, context, renewed=True))

    async def remind_member(self, work: Work, task: Task) -> None:
        """Remind a member who has not agreed yet, and set the next time if there is one."""
        group_id, member_id = task.payload["group_id"], task.payload["member_id"]
        member = await find_member(work, group_id, member_id)
        context = await get_group_context(work, group_id)
        consent = context.rules.membership.consent
        if member is None or not member.is_present or context.is_dismissed:
            return
        state = (await list_consent_states(work, [member]))[member.key]
        if consent is None or has_agreed(state, context.rules.membership):
            return
        text = consent_reminder(context.rules.membership, context.group.name, self._make_link(work, state, consent))
        await request_actions(work, consent_message(group_id, member_id, text, work.now))
        _schedule_reminder(work, state, consent, task.payload["left"] - 1)

    def _make_link(self, work: Work, state: ConsentState, consent: ConsentRule) -> str | None:
        if not self.sends_links(consent):
            return None
        holder = ConsentLinkHolder(state.group_id, state.member_id)
        return self._links.create_url(CONSENT_LINK, holder.claims, work.now + timedelta(hours=consent.link_hours))


def _schedule_reminder(work: Work, state: ConsentState, consent: ConsentRule, left: int) -> None:
    if left > 0:
        due = work.now + timedelta(hours=consent.remind_after_hours)
        payload = {"group_id": state.group_id, "member_id": state.member_id, "left": left}
        work.schedule(Task(reminder_key(state.key), REMIND_OF_CONSENT, due, payload))
