"""Open cases, find them for others, and remind of those that wait too long."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Role
from huiqun.contracts.channel.mentions import compose_text
from huiqun.contracts.moderation import CaseKind, CaseOpened, OpenedCase, Screened, Verdict
from huiqun.privacy.erasure.model import Subject
from huiqun.runtime.errors import NotFoundError
from huiqun.store import Reader
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.work import Task, Work
from moderation.archive.model import MessageRef
from moderation.cases import store
from moderation.cases.model import Case, CaseOpening, CaseState, case_due_at
from moderation.channel_requests.model import ActionTerms, staff_task
from moderation.groups.handlers import get_group, list_known_groups
from moderation.metrics import CASES_OPENED, CASES_OVERDUE
from moderation.notices.model import offence_reason
from moderation.policies.sections.review import ReviewRule
from moderation.rulebook.model import Rulebook

CASE_OVERDUE: Final = "case.overdue"
UNREADABLE_CATEGORY: Final = "unreadable"
_UNREADABLE_SEVERITY: Final = 3
_UNREADABLE_TEXT: Final = "有一条消息无法读取，未经审核，请到群内查看。"
_UNKNOWN_ID: Final = "unknown"


class CaseNotFoundError(NotFoundError):
    """There is no such case."""


async def open_cases(work: Work, openings: Sequence[CaseOpening]) -> list[Case]:
    """Open or join a case for each; whatever is new to the queue is announced, gets its clock and is returned."""
    if not openings:
        return []
    opened = await store.insert_or_join_cases(work, openings)
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
        task = Task(overdue_task_key(case), CASE_OVERDUE, case.due_at, {"case_id": case.id})
        work.schedule(task, causes[case.id])
    return opened.new


async def open_unreadable_cases(work: Work, events: Sequence[UnreadableRecord], rulebook: Rulebook) -> None:
    """Open a case for each group with messages that could not be read, or count them in the one that there is.

    Nobody has judged them, so a person looks into the group. A record that does not name its group counts where its
    key is a group that we know.
    """
    guessed = {event.data.group_id for event in events if not event.data.names_group}
    known = await list_known_groups(work, guessed)
    named = [event for event in events if event.data.names_group or event.data.group_id in known]
    rules = [_review_rule(event.data.group_id, rulebook) for event in named]
    await open_cases(work, [_unreadable_opening(work, *each) for each in zip(named, rules, strict=True)])


async def find_case(reader: Reader, case_id: str) -> Case | None:
    """A case; None where there is no such case."""
    return await store.find_case(reader, case_id)


async def list_existing_case_ids(reader: Reader, case_ids: Collection[str]) -> frozenset[str]:
    """Of these ids, those of cases that there are; one read, and none without ids."""
    return await store.list_existing_case_ids(reader, case_ids) if case_ids else frozenset()


async def get_case(reader: Reader, case_id: str) -> Case:
    """A case. Raises CaseNotFoundError."""
    case = await store.find_case(reader, case_id)
    if case is None:
        raise CaseNotFoundError(case_id)
    return case


async def list_open_cases(work: Work, group_id: str) -> list[Case]:
    """The cases of a group that wait for a decision, oldest first."""
    return await store.list_open_cases(work, group_id)


async def list_undecided_cases(work: Work, ref: MessageRef) -> list[Case]:
    """The cases about a message that wait for a decision or for a second reporter."""
    return await store.list_undecided_cases(work, ref)


async def list_undecided_removals(work: Work, group_id: str, member_id: str) -> list[Case]:
    """The proposals to remove a member that nobody has decided on."""
    return await store.list_undecided_removals(work, group_id, member_id)


async def has_decided_against(work: Work, ref: MessageRef, person: str) -> bool:
    """Whether this person has found a message to be an offence, or its author to be removed for it."""
    return await store.has_decided_against(work, ref, person)


def read_documents_of_cases(
    reader: Reader, subject: Subject, collection: str, limit: int | None = None
) -> AsyncIterator[Mapping[str, Any]]:
    """Read from another collection what names, by `case_id`, a case about somebody: all of it, or so many documents."""
    return store.read_documents_of_cases(reader, subject.query(), collection, limit)


async def save_case(work: Work, case: Case) -> Case:
    """Write a case back, and return it."""
    await store.save_case(work, case)
    return case


async def remind_of_overdue_case(work: Work, task: Task) -> None:
    """Count a case that has passed its response target, and ask the group's owner to look at it, once."""
    case = await store.find_case(work, task.payload["case_id"])
    if case is None or case.state is not CaseState.OPEN or case.overdue:
        return
    await store.save_case(work, case.model_copy(update={"overdue": True}))
    CASES_OVERDUE.labels(kind=case.kind.value).inc()
    group = await get_group(work, case.group_id)
    if group.settings.owner is not None and group.dismissed_at is None:
        words = "有一条待处理的群管案件（{category}）已超过响应时限，请尽快处理。案件编号：{case}"
        text = compose_text(words, category=offence_reason(case.category), case=case.id)
        reminder = staff_task(case.group_id, group.settings.owner, text, ActionTerms(work.now))
        await request_actions(work, reminder)


def overdue_task_key(case: Case) -> str:
    """The key of the task that reminds of a case."""
    return f"case/{case.id}"


def _review_rule(group_id: str, rulebook: Rulebook) -> ReviewRule:
    settings = rulebook.policies.settings_of(group_id)
    return rulebook.policies.policy_of(settings).rules.review


def _unreadable_opening(work: Work, event: UnreadableRecord, rule: ReviewRule) -> CaseOpening:
    data = event.data
    message = Screened(
        channel=event.source,
        message_id=data.message_id or _UNKNOWN_ID,
        group_id=data.group_id,
        member_id=data.member_id or _UNKNOWN_ID,
        role=Role.CUSTOMER,
        verdict=Verdict.REVIEW,
        policy_version="",
        lexicon_version="",
        masked_text=_UNREADABLE_TEXT,
        sent_at=work.now,
    )
    return CaseOpening(
        kind=CaseKind.UNREADABLE,
        message=message,
        category=UNREADABLE_CATEGORY,
        severity=_UNREADABLE_SEVERITY,
        due_at=case_due_at(rule, _UNREADABLE_SEVERITY, work.now),
        note=f"{data.message_id or _UNKNOWN_ID}: {data.reason}"[:500],
        cause=event,
    )
