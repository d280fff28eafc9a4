"""Post the rules when they change and on schedule: each group once per due time, however many replicas there are."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Action, GroupKind
from huiqun.tasks.model import Continue
from huiqun.work import Task, Work
from moderation.group_policies.handlers import get_policy_in_force
from moderation.groups.handlers import get_group
from moderation.groups.model import GroupRecord
from moderation.groups.store import list_groups as group_page
from moderation.membership.handlers.greeting import RENEW
from moderation.membership.handlers.in_force import InForce, in_force
from moderation.membership.model import words
from moderation.membership.model.actions import Letter, to_group
from moderation.membership.model.consent import version_of
from moderation.membership.model.group_state import GroupState
from moderation.membership.store import groups
from moderation.policies.model import Policy
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.schedules import find_next_occurrence

POST_RULES = "membership.rules"
CHECK_ROSTER = "membership.roster"
GO_ROUND = "membership.patrol"
_KINDS: Mapping[str, str] = {"rules": POST_RULES, "roster": CHECK_ROSTER, "patrol": GO_ROUND}
_PAGE = 100


async def plan_groups(work: Work, task: Task) -> None:
    """Groups are new, have changed or have another policy: see to their tasks, tell members of other rules."""
    records = [await get_group(work, group_id) for group_id in task.payload["group_ids"]]
    await _plan(work, records, told=bool(task.payload["other_policy"]))


async def plan_all(work: Work, task: Task) -> Continue | None:
    """A policy came into force: do so for every group, page by page."""
    records = await group_page(work, task.payload.get("after"), _PAGE)
    await _plan(work, records, told=True)
    return Continue({"after": records[-1].id}) if len(records) == _PAGE else None


async def post_rules(work: Work, task: Task) -> None:
    """The time has come: post the rules, and set the next time."""
    now = await in_force(work, task.payload["group_id"])
    posting = now.rules.posting
    if posting is None or posting.schedule is None or not now.rules.has_rules or now.is_dismissed:
        return
    state = (await groups.load(work, [now.group.id]))[now.group.id]
    await request_actions(work, _post(work, now, changed=False))
    state.posted_at = work.now
    await groups.save(work, [state])
    # After downtime the times that were missed are made up for once, not one by one.
    schedule_next(work, "rules", now, posting.schedule, max(task.due, work.now))


def schedule_next(work: Work, name: str, now: InForce, schedule: str, after: datetime) -> None:
    """Set the task of this name for the group, if its schedule is ever due again."""
    due = find_next_occurrence(schedule, now.group.settings.timezone, after)
    if due is not None:
        work.schedule(Task(f"{name}/{now.group.id}", _KINDS[name], due, {"group_id": now.group.id}))


async def _plan(work: Work, records: Sequence[GroupRecord], *, told: bool) -> None:
    """Bring groups up to their policies. `told`: a group seen for the first time hears of its rules all the same."""
    states = await groups.load(work, [record.id for record in records])
    policies: dict[tuple[str | None, str | None, GroupKind], Policy] = {}
    changed: list[GroupState] = []
    posts: list[Action] = []
    for record in records:
        # Groups share what their policy says, but for those that have rules of their own.
        own = record.id if record.settings.own is not None else None
        policy_key = record.settings.policy_id, own, record.settings.kind
        if policy_key not in policies:
            policies[policy_key] = await get_policy_in_force(work, record.settings)
        now, state = InForce(record, policies[policy_key]), states[record.id]
        version, schedules = version_of(now.rules), _schedules(now)
        if state.planned and (version, schedules) == (state.rules_version, dict(state.schedules)):
            continue
        if version not in (None, state.rules_version) and (told or state.planned) and not now.is_dismissed:
            posts += _tell(work, now, state)
        _reschedule(work, now, state, schedules)
        state.planned, state.rules_version, state.schedules = True, version, schedules
        changed.append(state)
    await groups.save(work, changed)
    await request_actions(work, *posts)


def _tell(work: Work, now: InForce, state: GroupState) -> list[Action]:
    """Post rules that are other than before, and have members asked where their policy wants a new consent."""
    posting, consent = now.rules.posting, now.rules.consent
    renews = consent is not None and consent.renew
    if renews:
        work.schedule(Task(f"renew/{now.group.id}", RENEW, work.now, {"group_id": now.group.id}))
    if not renews and (posting is None or not posting.on_change):
        return []
    state.posted_at = work.now
    return [_post(work, now, changed=True)]


def _reschedule(work: Work, now: InForce, state: GroupState, wanted: Mapping[str, str]) -> None:
    for name in _KINDS:
        if wanted.get(name) == state.schedules.get(name):
            continue  # left alone: a time that is due already must not be moved on
        work.cancel(f"{name}/{now.group.id}")
        schedule = _schedule(name, now.rules)
        if schedule is not None and name in wanted:
            schedule_next(work, name, now, schedule, work.now)


def _schedules(now: InForce) -> dict[str, str]:
    if now.is_dismissed:
        return {}
    zone = now.group.settings.timezone.key
    found = {name: _schedule(name, now.rules) for name in _KINDS}
    return {name: f"{schedule}, {zone}" for name, schedule in found.items() if schedule is not None}


def _schedule(name: str, rules: MembershipRules) -> str | None:
    if name == "roster":
        return rules.roster.schedule if rules.roster else None
    if name == "patrol":
        return rules.patrol.schedule if rules.patrol else None
    return rules.posting.schedule if rules.posting and rules.has_rules else None


def _post(work: Work, now: InForce, *, changed: bool) -> Action:
    text = words.posted(now.rules, now.group.name, changed=changed)
    return to_group(Letter(now.group.id, text, "rules"), work.now)
