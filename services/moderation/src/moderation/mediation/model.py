"""A conflict is taken up: simple ones in the group, others in private or in a group of their own. No I/O."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic.dataclasses import dataclass

from huiqun.contracts.channel.mentions import AddressedText, Mention, compose_text, join_texts
from huiqun.privacy.text import MaskedText
from moderation.cases.model import Case, CaseEntry, Moderator, add_history_entry
from moderation.casework.model import check_decidable_by


class MediationPlace(StrEnum):
    """Where people are spoken to."""

    GROUP = "group"
    PRIVATE = "private"
    SEPARATE_GROUP = "separate_group"


@dataclass(frozen=True, slots=True)
class MediateCaseCommand:
    """How a conflict is settled.

    `others` are members in the conflict beside the author of the message; without a text the usual one is sent.
    `assignee` is the staff member who is to talk to them, the group's owner where nobody is named.
    """

    where: MediationPlace
    text: Annotated[str, MaskedText()] = ""
    others: tuple[str, ...] = ()
    assignee: str | None = None


_USUAL_TEXTS: Mapping[MediationPlace, str] = {
    MediationPlace.GROUP: "请大家文明交流、就事论事。有问题请 @工作人员，我们会尽快回复。",
    MediationPlace.PRIVATE: "您好，关于刚才群内的讨论，工作人员将私下与您沟通，请暂时不要在群内继续争论。",
    MediationPlace.SEPARATE_GROUP: "您好，为便于沟通，工作人员将邀请您到另外的群继续讨论，请暂时不要在原群争论。",
}
_TASK_TEXTS: Mapping[MediationPlace, str] = {
    MediationPlace.PRIVATE: "请私下与成员 {members} 沟通，了解情况并妥善处理。案件编号：{case}",
    MediationPlace.SEPARATE_GROUP: "请另建沟通群，邀请成员 {members} 到该群继续讨论。案件编号：{case}",
}


def mediation_text(command: MediateCaseCommand) -> AddressedText:
    """What members in the conflict are told."""
    return AddressedText(command.text or _USUAL_TEXTS[command.where])


def involved_members(case: Case, command: MediateCaseCommand) -> tuple[str, ...]:
    """Whom it is about, each once, the author of the message first."""
    return tuple(dict.fromkeys((case.member_id, *command.others)))


def mediation_task(case: Case, command: MediateCaseCommand) -> AddressedText | None:
    """What a staff member is asked to do; None where saying it in the group is all."""
    words = _TASK_TEXTS.get(command.where)
    members = join_texts("、", list(map(Mention, involved_members(case, command))))
    return compose_text(words, members=members, case=case.id) if words else None


def with_mediation(case: Case, moderator: Moderator, command: MediateCaseCommand, now: datetime) -> Case:
    """The case with a note of it; it stays to be decided. Raises CaseHeldError, CaseClosedError."""
    check_decidable_by(case, moderator, now)
    entry = CaseEntry(at=now, what=f"mediated_{command.where.value}", by=moderator.id, note=command.text)
    return case.model_copy(update={"history": add_history_entry(case, entry), "version": case.version + 1})
