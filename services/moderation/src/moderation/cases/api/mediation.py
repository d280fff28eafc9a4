"""Take up a conflict that a case is about, before or while it is decided."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.privacy.text import MaskedText
from huiqun.web import Router, WriteOnce, WriteResult
from huiqun.work import Work
from moderation.cases.api.cases import PROBLEMS, CasePath, Me
from moderation.cases.api.views import CaseView, view_of
from moderation.cases.handlers.mediating import NobodyToTalkToError, mediate_case
from moderation.cases.model.mediation import Mediation, Where

router = Router(
    "/api/v1/cases", tag="cases", role="viewer", problems={**PROBLEMS, NobodyToTalkToError: (422, "nobody-to-talk-to")}
)


class Talk(BaseModel):
    """Where a conflict is to be settled, and with whom."""

    where: Where = Field(
        description="Simple: a word in the group. Else: a talk in private, or a group of their own.",
        examples=["private"],
    )
    text: Annotated[str, MaskedText(strip_whitespace=True, max_length=2_000)] = Field(
        default="", description="What the members are told; without it, the usual.", examples=["稍后致电与您沟通。"]
    )
    others: list[Id] = Field(
        default=[],
        max_length=20,
        description="Who else is in the conflict, beside the author of the message.",
        examples=[["member-2"]],
    )
    assignee: Id | None = Field(
        default=None, description="The staff member who is to talk to them; else the group's owner.", examples=["s-7"]
    )


@router.post("/{case_id}/mediation", summary="Settle a conflict with a talk", response_model=CaseView)
async def mediate(case_id: CasePath, talk: Talk, write: WriteOnce, me: Me) -> Response:
    """Members are told, a staff member is asked to see to it; the case stays open until it is decided."""
    mediation = Mediation(talk.where, talk.text, tuple(talk.others), talk.assignee)

    async def use_case(work: Work) -> WriteResult:
        case = await mediate_case(work, case_id, mediation, me)
        return WriteResult(view_of(case, work.now), version=case.version)

    return await write(use_case)
