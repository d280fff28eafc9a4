"""Routes of mediation: take up a conflict that a case is about, before or while it is decided."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.privacy.text import MaskedText
from huiqun.web import Router, WriteOnce
from moderation.cases.api import CasePath, CaseView, answer_with_case
from moderation.casework.api import CASEWORK_PROBLEMS, CurrentModerator
from moderation.mediation import handlers
from moderation.mediation.handlers import NobodyToTalkToError
from moderation.mediation.model import MediateCaseCommand, MediationPlace

router = Router(
    "/api/v1/cases",
    tag="cases",
    role="viewer",
    problems={**CASEWORK_PROBLEMS, NobodyToTalkToError: (422, "nobody-to-talk-to")},
)


class MediationBody(BaseModel):
    """Where a conflict is to be settled, and with whom."""

    where: MediationPlace = Field(
        description="Where the conflict is settled: by a word in the group, in private, or in a group of their own.",
        examples=["private"],
    )
    text: Annotated[str, MaskedText(strip_whitespace=True, max_length=2_000)] = Field(
        default="",
        description="What the members are told; without it, the usual text.",
        examples=["稍后致电与您沟通。"],
    )
    others: list[Id] = Field(
        default=[],
        max_length=20,
        description="The ids of those who are in the conflict beside the author of the message.",
        examples=[["member-2"]],
    )
    assignee: Id | None = Field(
        default=None,
        description="The id of the staff member who is to talk to the members; without it, the group's owner.",
        examples=["s-7"],
    )


@router.post("/{case_id}/mediation", summary="Mediate a conflict that a case is about", response_model=CaseView)
async def mediate_case(
    case_id: CasePath, body: MediationBody, write: WriteOnce, moderator: CurrentModerator
) -> Response:
    """Members are told, a staff member is asked to see to it; the case stays open until it is decided."""
    command = MediateCaseCommand(body.where, body.text, tuple(body.others), body.assignee)
    return await write(answer_with_case(lambda work: handlers.mediate_case(work, case_id, command, moderator)))
