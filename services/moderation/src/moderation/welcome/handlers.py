"""Greet newcomers together, make the rules known when they change and on schedule, and answer who wants to leave."""

from collections.abc import Mapping, Sequence
from typing import Final

from huiqun.channel.actions.context import ActionContext
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember
from huiqun.channel.directory.store import read_directory
from huiqun.contracts.channel import Action, MessageEdited, MessageReceived, Role
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.channel.shown_names import clean_name
from huiqun.tasks.model import Continue
from huiqun.work import Task, Work
from moderation.channel_requests.model import MEMBERSHIP_LIFETIME, ActionTerms, group_message
from moderation.consent.handlers import list_replies
from moderation.consent.model import normalize_reply, rules_version_of
from moderation.group_policies.handlers import get_group_context, list_group_contexts
from moderation.group_policies.model import GroupContext
from moderation.groups.handlers import get_group, list_groups
from moderation.groups.model import GroupRecord
from moderation.invitations.handlers import RENEW_CONSENTS, ConsentRequests
from moderation.policies.model import Policy
from moderation.policies.sections.leaving import LeavingRule
from moderation.rulebook.model import PolicySnapshot, Rulebook
from moderation.schedules.handlers import reschedule_group, schedule_next
from moderation.schedules.model import describe_schedules, list_schedules
from moderation.welcome import store
from moderation.welcome.model import (
    GroupState,
    asks_to_leave,
    greeting_text,
    greeting_window,
    greets_newcomers,
    is_newcomer,
    rules_announcement,
    rules_reminder,
)

GREET_NEWCOMERS: Final = "membership.welcome"
_MOST_GREETED: Final = 500
_PAGE: Final = 100


class Welcome:
    """The use cases of what groups are told; `requests` asks members to agree to the rules."""

    def __init__(self, requests: ConsentRequests) -> None:
        self._requests = requests

    async def greet_newcomers(self, work: Work, task: Task) -> None:
        """Welcome everybody who came since the last time and is still there, in one message."""
        group_id = task.payload["group_id"]
        state = (await store.list_group_states(work, [group_id]))[group_id]
        noted, state.newcomers, state.greet_at = state.newcomers, {}, None
        await store.save_group_states(work, [state])
        context = await get_group_context(work, group_id)
        known = await read_directory(work, members=[(group_id, member_id) for member_id in noted])
        came = [known.member(group_id, member_id) for member_id in noted]
        present = [member for member in came if member.is_present and member.role is Role.CUSTOMER]
        greeted = {member.member_id: noted[member.member_id] for member in present}
        by_link = self._requests.sends_links(context.rules.membership.consent)
        text = greeting_text(context.rules.membership, context.group.name, greeted, by_link=by_link)
        if context.is_dismissed or not present or not text.content:
            return
        only = present[0].member_id if len(present) == 1 else None
        greeting = group_message(group_id, text, _terms(work, "welcome"), only)
        await request_actions(work, greeting, *await self._requests.ask_members(work, present, context))

    async def plan_groups(self, work: Work, task: Task) -> None:
        """Groups are new, have changed or have another policy: see to their tasks, tell members of other rules."""
        records = [await get_group(work, group_id) for group_id in task.payload["group_ids"]]
        await self._plan(work, records, announces=bool(task.payload["other_policy"]))

    async def plan_all_groups(self, work: Work, task: Task) -> Continue | None:
        """A policy came into force: do so for every group, page by page."""
        records = await list_groups(work, task.payload.get("after"), _PAGE)
        await self._plan(work, records, announces=True)
        return Continue({"after": records[-1].id}) if len(records) == _PAGE else None

    async def _plan(self, work: Work, records: Sequence[GroupRecord], *, announces: bool) -> None:
        """Bring groups up to their policies.

        `announces`: a group seen for the first time hears of its rules all the same.
        """
        states = await store.list_group_states(work, [record.id for record in records])
        changed: list[GroupState] = []
        posts: list[Action] = []
        for context in await list_group_contexts(work, records):
            state = states[context.group.id]
            version, schedules = rules_version_of(context.rules.membership), describe_schedules(context)
            if state.planned and (version, schedules) == (state.rules_version, state.schedules):
                continue
            if version not in (None, state.rules_version) and (announces or state.planned) and not context.is_dismissed:
                posts += self._announce_rules(work, context, state)
            reschedule_group(work, context, state.schedules)
            state.planned, state.rules_version, state.schedules = True, version, schedules
            changed.append(state)
        await store.save_group_states(work, changed)
        await request_actions(work, *posts)

    def _announce_rules(self, work: Work, context: GroupContext, state: GroupState) -> list[Action]:
        """Post rules that are other than before, and have members asked where their policy wants a new consent."""
        posting, consent = context.rules.membership.posting, context.rules.membership.consent
        renews = consent is not None and consent.renew
        if renews:
            work.schedule(Task(f"renew/{context.group.id}", RENEW_CONSENTS, work.now, {"group_id": context.group.id}))
        if not renews and (posting is None or not posting.on_change):
            return []
        state.posted_at = work.now
        first, by_link = state.rules_version is None, self._requests.sends_links(consent)
        text = rules_announcement(context.rules.membership, context.group.name, first=first, by_link=by_link)
        return [group_message(context.group.id, text, _terms(work, "rules"))]


async def post_rules(work: Work, task: Task) -> None:
    """The time has come: post the rules, and set the next time."""
    context = await get_group_context(work, task.payload["group_id"])
    if "rules" not in list_schedules(context):
        return
    group_id = context.group.id
    state = (await store.list_group_states(work, [group_id]))[group_id]
    await request_actions(
        work, group_message(group_id, rules_reminder(context.rules.membership), _terms(work, "rules"))
    )
    state.posted_at = work.now
    await store.save_group_states(work, [state])
    schedule_next(work, "rules", context, max(task.due, work.now))


async def gather_newcomers(
    work: Work, arrived: Sequence[DirectoryMember], rulebook: Rulebook, directory: Directory
) -> None:
    """Put newcomers on the list of those to be greeted, and set the time if they are the first on it."""
    newcomers = [member for member in arrived if is_newcomer(member, work.now)]
    policies = {each.group_id: _policy_of(rulebook.policies, each.group_id) for each in newcomers}
    greeted = [each for each in newcomers if greets_newcomers(policies[each.group_id].rules.membership)]
    if not greeted:
        return
    known = await directory.reveal_personal_details(greeted)
    names = {member.key: clean_name(known[member.key].display_name) for member in greeted}
    masks = [rulebook.mask_of(policies[member.group_id]) for member in greeted]
    # Nobody is greeted by a name that their group would not let pass as a message.
    hits = rulebook.lexicon.scan_texts(list(names.values()), masks, work.now.date())
    nameable = {key for (key, name), hit in zip(names.items(), hits, strict=True) if name and not hit}
    states = await store.list_group_states(work, {member.group_id for member in greeted})
    for member in greeted:
        state = states[member.group_id]
        _schedule_greeting(work, state, policies[member.group_id])
        if len(state.newcomers) < _MOST_GREETED:
            state.newcomers[member.member_id] = member.key in nameable
    await store.save_group_states(work, states.values())


def _policy_of(policies: PolicySnapshot, group_id: str) -> Policy:
    return policies.policy_of(policies.settings_of(group_id))


def _schedule_greeting(work: Work, state: GroupState, policy: Policy) -> None:
    if state.awaits_greeting(work.now):
        return
    state.greet_at = work.now + greeting_window(policy.rules.membership)
    trace = work.trace_on(state.group_id)
    payload = {"group_id": state.group_id}
    work.schedule(Task(f"welcome/{state.group_id}", GREET_NEWCOMERS, state.greet_at, payload, traceparent=trace))


async def answer_leaving_questions(
    work: Work, events: Sequence[MessageReceived | MessageEdited], policies: PolicySnapshot
) -> None:
    """Answer who asks how to leave; costs next to nothing where no policy has an answer."""
    if not any(policy.rules.membership.leaving is not None for policy in policies.list_policies()):
        return
    questions: dict[str, tuple[MessageReceived, LeavingRule]] = {}
    for event, reply in list_replies(events):
        group_id = event.data.group_id
        rule = _policy_of(policies, group_id).rules.membership.leaving
        if rule is not None and asks_to_leave(normalize_reply(reply), rule):
            questions.setdefault(group_id, (event, rule))
    if questions:
        await _answer_questions(work, questions)


async def _answer_questions(work: Work, questions: Mapping[str, tuple[MessageReceived, LeavingRule]]) -> None:
    states = await store.list_group_states(work, questions)
    answers: list[Action] = []
    contexts: dict[str, ActionContext] = {}
    for group_id, (event, rule) in questions.items():
        state = states[group_id]
        if state.may_answer_leaving(rule, work.now):
            state.leaving_answered_at = work.now
            asker = event.data.sender.member_id
            answer = group_message(group_id, AddressedText(rule.text), _terms(work, "leaving"), asker)
            answers.append(answer)
            contexts[answer.action_id] = ActionContext(event)
    await store.save_group_states(work, states.values())
    await request_actions(work, *answers, contexts=contexts)


def _terms(work: Work, reason: str) -> ActionTerms:
    return ActionTerms(work.now, reason, MEMBERSHIP_LIFETIME)
