"""Routes of reports: colleagues report a message; members report by a reply in the group."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.privacy.text import MaskedText
from huiqun.web import Principal, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.archive.handlers import AmbiguousMessageError
from moderation.cases.api import CaseView, view_case
from moderation.policies.sections.section import Category
from moderation.reports import handlers
from moderation.reports.handlers import ReportedMessageNotFoundError, ReportMessageCommand

router = Router(
    "/api/v1/reports",
    tag="cases",
    role="operator",
    problems={
        ReportedMessageNotFoundError: (422, "unknown-message"),
        AmbiguousMessageError: (409, "ambiguous-message"),
    },
)


class MessageReportBody(BaseModel):
    """A message that somebody should look at."""

    message_id: Id = Field(description="The id of the message.", examples=["msg-1"])
    group_id: Id | None = Field(
        default=None,
        description="The id of the message's group, where several have a message of this id.",
        examples=["group-1"],
    )
    category: Category | None = Field(
        default=None,
        description="The category of the report; without it, what the rules found in the message.",
        examples=["ads"],
    )
    note: Annotated[str, MaskedText(max_length=2_000)] = Field(
        default="", description="What is wrong with the message.", examples=["疑似代办贷款"]
    )


@router.post("", summary="Report a message", status_code=201, response_model=CaseView)
async def report_message(
    body: MessageReportBody, write: WriteOnce, principal: Annotated[Principal, require_role("operator")]
) -> Response:
    """Opens a case, or joins the one that there is; nothing else follows before a person has decided."""
    command = ReportMessageCommand(body.message_id, body.group_id, body.note, body.category)

    async def use_case(work: Work) -> WriteResult:
        case = await handlers.report_message(work, command, principal.id)
        return WriteResult(view_case(case, work.now), version=case.version, location=f"/api/v1/cases/{case.id}")

    return await write(use_case)
