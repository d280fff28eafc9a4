"""Ask who wrote a piece of personal data; the value is neither kept nor logged."""

from typing import Annotated

from fastapi import Body
from pydantic import BaseModel, Field

from huiqun.privacy.detection import PersonalDataKind
from huiqun.privacy.text import RawText
from huiqun.web import Page, Paging, Router, TransactOnce, read_only
from moderation.archive.api.access import Auditor, HashKey
from moderation.archive.api.messages import RevisionView, place_in, revision_view
from moderation.archive.handlers.lookup import Question, look_up
from moderation.archive.model.tokens import NoPersonalDataError

router = Router(
    "/api/v1/messages/lookup",
    tag="archive",
    role="auditor",
    problems={NoPersonalDataError: (422, "no-personal-data")},
)


class Lookup(BaseModel):
    """What is looked for."""

    value: Annotated[str, RawText(min_length=1, max_length=200)] = Field(
        description="The value, in any spelling.", examples=["6222 0210 0112 2334 409"]
    )
    kind: PersonalDataKind = Field(description="What it is.", examples=["bank_card"])


@router.post("", summary="Find the messages that held a piece of personal data", dependencies=[read_only()])
async def look_up_value(
    lookup: Annotated[Lookup, Body()], paging: Paging, audited: TransactOnce, key: HashKey, who: Auditor
) -> Page[RevisionView]:
    """Over all groups, in order of time. Each question is audited, with a keyed hash in place of the value."""
    question = Question(lookup.value, lookup.kind, place_in(paging), paging.limit + 1)
    found = await audited(lambda work: look_up(work, question, key, who.id))
    return paging.page(found, lambda each: each.place, revision_view)
