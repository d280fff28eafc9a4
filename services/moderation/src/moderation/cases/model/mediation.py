"""A conflict is taken up: simple ones in the group, others in private or in a group of their own. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic.dataclasses import dataclass

from huiqun.contracts.channel.mentions import AddressedText, Mention, compose_text, join_texts
from huiqun.privacy.text import MaskedText
from moderation.cases.model.case import MAX_HISTORY, Case, Entry, Moderator, check_decidable


class Where(StrEnum):
    """Where people are spoken to."""

    GROUP = "group"
    PRIVATE = "private"
    SEPARATE_GROUP = "separate_group"


@dataclass(frozen=True, slots=True)
class Mediation:
    """`others` are members in the conflict beside the author of the message; without a text the usual one is sent.

    `assignee` is the staff member who is to talk to them, the group's owner where nobody is named.
    """

    where: Where
    text: Annotated[str, MaskedText()] = ""
    others: tuple[str, ...] = ()
    assignee: str | None = None


_USUAL: Mapping[Where, str] = {
    Where.GROUP: "请大家文明交流、就事论事。有问题请 @工作人员，我们会尽快回复。",
    Where.PRIVATE: "您好，关于刚才群内的讨论，工作人员将私下与您沟通，请暂时不要在群内继续争论。",
    Where.SEPARATE_GROUP: "您好，为便于沟通，工作人员将邀请您到单独的群继续讨论，请暂时不要在本群继续争论。",
}
_TASKS: Mapping[Where, str] = {
    Where.PRIVATE: "请私下与成员 {members} 沟通，了解情况并妥善处理。案件编号：{case}",
    Where.SEPARATE_GROUP: "请另建沟通群，邀请成员 {members} 到该群继续讨论。案件编号：{case}",
}


def words_of(mediation: Mediation) -> AddressedText:
    """What members are told."""
    return AddressedText(mediation.text or _USUAL[mediation.where])


def involved(case: Case, mediation: Mediation) -> tuple[str, ...]:
    """Whom it is about, each once, the author of the message first."""
    return tuple(dict.fromkeys((case.member_id, *mediation.others)))


def task_of(case: Case, mediation: Mediation) -> AddressedText | None:
    """What a staff member is asked to do; None where saying it in the group is all."""
    words = _TASKS.get(mediation.where)
    members = join_texts("、", list(map(Mention, involved(case, mediation))))
    return compose_text(words, members=members, case=case.id) if words else None


def mediate(case: Case, who: Moderator, mediation: Mediation, now: datetime) -> Case:
    """The case with a note of it; it stays to be decided. Raises CaseHeldError, CaseClosedError."""
    check_decidable(case, who, now)
    entry = Entry(at=now, what=f"mediated_{mediation.where.value}", by=who.id, note=mediation.text)
    history = (*case.history, entry)[-MAX_HISTORY:]
    return case.model_copy(update={"history": history, "version": case.version + 1})
