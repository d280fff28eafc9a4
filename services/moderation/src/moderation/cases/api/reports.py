"""Reports of messages by colleagues; members report by a reply in the group."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.privacy.text import MaskedText
from huiqun.web import Principal, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.archive.handlers.supervising import AmbiguousMessageError
from moderation.cases.api.views import CaseView, view_of
from moderation.cases.handlers.asking import ReportMessageCommand, UnknownMessageError, report_message
from moderation.policies.model import Category

router = Router(
    "/api/v1/reports",
    tag="cases",
    role="operator",
    problems={UnknownMessageError: (422, "unknown-message"), AmbiguousMessageError: (409, "ambiguous-message")},
)


class NewReport(BaseModel):
    """A message that somebody should look at."""

    message_id: Id = Field(description="The message.", examples=["msg-1"])
    group_id: Id | None = Field(
        default=None, description="Its group, where several have a message of this id.", examples=["group-1"]
    )
    category: Category | None = Field(
        default=None, description="What it is about; without it, what the rules said.", examples=["ads"]
    )
    note: Annotated[str, MaskedText(max_length=2_000)] = Field(
        default="", description="What is wrong with it.", examples=["疑似代办贷款"]
    )


@router.post("", summary="Report a message", status_code=201, response_model=CaseView)
async def report(new: NewReport, write: WriteOnce, who: Annotated[Principal, require_role("operator")]) -> Response:
    """Opens a case, or joins the one that there is; nothing else follows before a person has decided."""

    async def use_case(work: Work) -> WriteResult:
        command = ReportMessageCommand(new.message_id, new.group_id, new.note, new.category)
        case = await report_message(work, command, who.id)
        return WriteResult(view_of(case, datetime.now(UTC)), version=case.version, location=f"/api/v1/cases/{case.id}")

    return await write(use_case)
