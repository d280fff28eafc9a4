"""Check rosters against the authorised staff, on schedule and when asked; take the list in."""

from collections.abc import Callable, Sequence

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import list_present_members
from huiqun.contracts.channel import Role
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.membership.handlers.in_force import InForce, in_force
from moderation.membership.handlers.planning import schedule_next
from moderation.membership.model.actions import Letter, to_staff
from moderation.membership.model.checks import RosterEntry, RosterReport, check_names, check_staff, summary
from moderation.membership.model.staff import Staff
from moderation.membership.store import staff as staff_store
from moderation.membership.store.staff import StaffList
from moderation.metrics import ROSTER_FINDINGS
from moderation.policies.model import RosterRule


class RosterChecks:
    """The use cases of checks, over the directory of groups and members."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def check_on_schedule(self, work: Work, task: Task) -> None:
        """The time has come: check the roster, and set the next time."""
        now = await in_force(work, task.payload["group_id"])
        if now.rules.roster is None or now.is_dismissed:
            return
        await self._check(work, now, now.rules.roster)
        schedule_next(work, "roster", now, now.rules.roster.schedule, max(task.due, work.now))

    async def check_now(self, work: Work, group_id: str, actor: str) -> RosterReport:
        """Check a roster because somebody asks, whether or not its policy schedules checks."""
        now = await in_force(work, group_id)
        report = await self._check(work, now, now.rules.roster or RosterRule())
        detail = {"report": report.id, "findings": len(report.findings)}
        await append_audit_entry(work, AuditEntry(actor, "roster.checked", f"group/{group_id}", detail))
        return report

    async def _check(self, work: Work, now: InForce, rule: RosterRule) -> RosterReport:
        """Make the report, keep it, and tell the group's owner if there is anything to look at."""
        present = await self._list_entries(work, now.group.id)
        staff_ids = [entry.member_id for entry in present if entry.role is Role.STAFF]
        listed = (await staff_store.the_list(work)).size
        findings = list(check_names(present, rule.staff_words))
        if listed:
            today = work.now.astimezone(now.group.settings.timezone).date()
            findings = [*check_staff(present, await staff_store.find_staff(work, staff_ids), today), *findings]
        report = RosterReport(new_id(), now.group.id, work.now, len(present), len(staff_ids), listed, tuple(findings))
        await staff_store.keep_report(work, report)
        for finding in findings:
            ROSTER_FINDINGS.labels(kind=finding.kind.value).inc()
        if findings:
            letter = Letter(now.group.id, summary(report, now.group.name), "roster", now.group.settings.owner)
            await request_actions(work, to_staff(letter, work.now))
        return report

    async def _list_entries(self, work: Work, group_id: str) -> list[RosterEntry]:
        present = await list_present_members(work, group_id)
        details = await self._directory.reveal_personal_details(present)
        return [
            RosterEntry(each.member_id, each.role or Role.CUSTOMER, details[each.key].display_name) for each in present
        ]


async def replace_staff(work: Work, staff: Sequence[Staff], check: Callable[[int], None], actor: str) -> StaffList:
    """Put a new list of authorised staff in force; `check` raises if the caller has not seen the present one."""
    before = await staff_store.the_list(work)
    check(before.revision)
    made = StaffList(len(staff), before.revision + 1, actor, work.now)
    await staff_store.replace_list(work, staff, made)
    detail = {"size": made.size, "before": before.size, "revision": made.revision}
    await append_audit_entry(work, AuditEntry(actor, "staff.list.replaced", "staff", detail))
    return made
