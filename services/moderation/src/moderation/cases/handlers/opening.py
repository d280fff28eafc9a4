"""Open cases, and remind of those that wait too long."""

from collections.abc import Sequence

from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel.mentions import compose_text
from huiqun.contracts.moderation import CaseOpened, OpenedCase
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.cases.model import Case, Opening, State
from moderation.cases.store import cases
from moderation.enforcement import model as enforcement
from moderation.metrics import CASES_OPENED, CASES_OVERDUE
from moderation.policies.handlers import find_group

OVERDUE = "case.overdue"


async def open_cases(work: Work, openings: Sequence[Opening]) -> list[Case]:
    """Open or join a case for each; whatever is new to the queue is announced, gets its clock and is returned."""
    if not openings:
        return []
    opened = await cases.open_all(work, openings)
    causes = {opening.case_id: opening.cause for opening in openings}
    for case in opened.new:
        announced = OpenedCase(
            case_id=case.id,
            kind=case.kind,
            channel=case.channel,
            group_id=case.group_id,
            member_id=case.member_id,
            message_id=case.message_id,
            category=case.category,
            severity=case.severity,
            due_at=case.due_at,
        )
        work.emit(CaseOpened.create(case.group_id, announced, time=work.now, cause=causes[case.id]))
        CASES_OPENED.labels(kind=case.kind.value).inc()
    for case in (*opened.new, *opened.hastened):
        work.schedule(Task(overdue_key(case), OVERDUE, case.due_at, {"case_id": case.id}), causes[case.id])
    return opened.new


async def remind(work: Work, task: Task) -> None:
    """A case has passed its response target: count it, and ask the group's owner to look, once."""
    case = await cases.load(work, task.payload["case_id"])
    if case is None or case.state is not State.OPEN or case.overdue:
        return
    await cases.save(work, case.model_copy(update={"overdue": True}))
    CASES_OVERDUE.labels(kind=case.kind.value).inc()
    group = await find_group(work, case.group_id)
    if group.settings.owner is not None and group.dismissed_at is None:
        words = "有一条待处理的群管案件（{category}）已超过响应时限，请尽快处理。案件编号：{case}"
        text = compose_text(words, category=enforcement.name_of(case.category), case=case.id)
        reminder = enforcement.task(case.group_id, group.settings.owner, text, work.now, new_id())
        await request_actions(work, reminder)


def overdue_key(case: Case) -> str:
    """The key of the case's clock."""
    return f"case/{case.id}"
