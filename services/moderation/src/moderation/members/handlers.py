"""Keep the roster as members come, go and change, and check it against the authorised staff."""

from collections.abc import Callable, Sequence

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.fold import RosterEvent
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import list_present_members
from huiqun.contracts.channel import Role
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.consent.handlers import record_moves
from moderation.group_policies.handlers import get_group_context
from moderation.group_policies.model import GroupContext
from moderation.members import store
from moderation.members.model import RosterEntry, RosterReport, check_names, check_staff, roster_task
from moderation.metrics import ROSTER_FINDINGS
from moderation.policies.sections.roster import RosterRule
from moderation.rulebook.model import Rulebook
from moderation.schedules.handlers import schedule_next
from moderation.staff.handlers import read_authorised_staff
from moderation.welcome.handlers import gather_newcomers


class Roster:
    """The use cases of the roster; `rulebook` gives the policies, groups and lexicon in force at the moment."""

    def __init__(self, rulebook: Callable[[], Rulebook], directory: Directory) -> None:
        self._rulebook = rulebook
        self._directory = directory

    async def record_members(self, work: Work, events: Sequence[RosterEvent]) -> None:
        """Note who came, went or changed."""
        changes = await self._directory.record_events(work, events)
        await record_moves(work, changes.departed.values(), changes.returned.values())
        await gather_newcomers(work, list(changes.arrived.values()), self._rulebook(), self._directory)


class RosterChecks:
    """The use cases of checks, over the directory of groups and members."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def check_roster_on_schedule(self, work: Work, task: Task) -> None:
        """The time has come: check the roster, and set the next time."""
        context = await get_group_context(work, task.payload["group_id"])
        if context.rules.membership.roster is None or context.is_dismissed:
            return
        await self._check(work, context, context.rules.membership.roster)
        schedule_next(work, "roster", context, max(task.due, work.now))

    async def check_roster_now(self, work: Work, group_id: str, actor: str) -> RosterReport:
        """Check a roster because somebody asks, whether or not its policy schedules checks."""
        context = await get_group_context(work, group_id)
        report = await self._check(work, context, context.rules.membership.roster or RosterRule())
        detail = {"report": report.id, "findings": len(report.findings)}
        await append_audit_entry(work, AuditEntry(actor, "roster.checked", f"group/{group_id}", detail))
        return report

    async def _check(self, work: Work, context: GroupContext, rule: RosterRule) -> RosterReport:
        """Make the report, keep it, and tell the group's owner if there is anything to look at."""
        group = context.group
        present = await self._list_entries(work, group.id)
        staff_ids = [entry.member_id for entry in present if entry.role is Role.STAFF]
        staff_list, authorised = await read_authorised_staff(work, staff_ids)
        findings = list(check_names(present, rule.staff_words))
        if staff_list.size:
            today = work.now.astimezone(group.settings.timezone).date()
            findings = [*check_staff(present, authorised, today), *findings]
        counted = len(present), len(staff_ids), staff_list.size
        report = RosterReport(new_id(), group.id, work.now, *counted, tuple(findings))
        await store.append_roster_report(work, report)
        for finding in findings:
            ROSTER_FINDINGS.labels(kind=finding.kind.value).inc()
        if findings:
            await request_actions(work, roster_task(report, group.name, group.settings.owner, work.now))
        return report

    async def _list_entries(self, work: Work, group_id: str) -> list[RosterEntry]:
        present = await list_present_members(work, group_id)
        details = await self._directory.reveal_personal_details(present)
        return [
            RosterEntry(each.member_id, each.role or Role.CUSTOMER, details[each.key].display_name) for each in present
        ]
