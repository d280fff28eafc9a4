"""The archive: what was said in a group, masked, with how it was judged."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.contracts.moderation import Verdict
from huiqun.web import Page, PageRequest, Paging, ReadDatabase, Router
from moderation.archive.handlers.supervising import AmbiguousMessageError, UnknownMessageError, find_message
from moderation.archive.store import messages as store
from moderation.archive.store.messages import Archived, Place, Search

#: A message is named by its id, and by its group where that is not enough.
MESSAGE_PROBLEMS: Final = {
    UnknownMessageError: (404, "unknown-message"),
    AmbiguousMessageError: (409, "ambiguous-message"),
}
router = Router("/api/v1/messages", tag="archive", role="viewer", problems=MESSAGE_PROBLEMS)

MessagePath = Annotated[Id, Path(description="The message's id.", examples=["msg-1"])]
InGroup = Annotated[
    Id | None, Query(description="Its group, where several have a message of this id.", examples=["group-1"])
]
GroupId = Annotated[Id, Query(description="The group.", examples=["group-1"])]
Since = Annotated[
    Instant | None, Query(description="Sent then or later, with an offset.", examples=["2026-11-22T00:00:00+08:00"])
]
Until = Annotated[
    Instant | None, Query(description="Sent before then, with an offset.", examples=["2026-11-23T00:00:00+08:00"])
]
MemberId = Annotated[Id | None, Query(description="Only what this member wrote.", examples=["member-1"])]
Judged = Annotated[Verdict | None, Query(description="Only what was judged so.", examples=["block"])]


class ReasonView(BaseModel):
    """A rule that spoke."""

    rule: str = Field(description="Which rule of the policy.", examples=["lexicon"])
    category: str = Field(description="What it is about.", examples=["ads"])
    severity: int = Field(description="From 1 to 5.", examples=[3])
    confidence: float = Field(description="From 0 to 1.", examples=[1.0])
    shadow: bool = Field(default=False, description="Whether the rule was on trial.", examples=[False])
    spans: list[tuple[int, int]] = Field(description="Where in the original text.", examples=[[[4, 6]]])
    word: str | None = Field(
        default=None, description="The word that was found, after its list.", examples=["huiqun/加薇"]
    )
    stream: str | None = Field(default=None, description="How the word was written.", examples=["folded"])


class RevisionView(BaseModel):
    """A message as it was sent, or as it was edited."""

    message_id: str = Field(description="The message's id.", examples=["msg-1"])
    revision: int = Field(description="0 as first sent, rising with each edit.", examples=[0])
    group_id: str = Field(description="The group.", examples=["group-1"])
    member_id: str = Field(description="Who wrote it.", examples=["member-1"])
    role: str = Field(description="What the writer is in the group.", examples=["customer"])
    kind: str = Field(description="The form of the message.", examples=["text"])
    sent_at: datetime = Field(description="When it was sent.", examples=["2026-11-22T08:00:00Z"])
    archived_at: datetime | None = Field(description="When it was archived.", examples=["2026-11-22T08:00:01Z"])
    expires_on: datetime | None = Field(
        description="When it is deleted, a midnight in UTC; null while a legal hold keeps it.",
        examples=["2027-11-23T00:00:00Z"],
    )
    text: str = Field(description="The text, with personal data masked.", examples=["我的卡号是 6222************0123"])
    verdict: Verdict = Field(description="How it was judged.", examples=["block"])
    reasons: list[ReasonView] = Field(description="The rules that spoke.")
    policy: str = Field(description="The policy's version that judged it.", examples=["default@3"])
    lexicon: str = Field(description="The lexicon's version that judged it.", examples=["2026-11-22T08:00:00Z"])
    recalled_by: str | None = Field(description="Who withdrew it.", examples=["member-1"])
    recalled_at: datetime | None = Field(description="When it was withdrawn.", examples=["2026-11-22T08:01:00Z"])


class MessageView(BaseModel):
    """A message with everything that became of it."""

    message_id: str = Field(description="The message's id.", examples=["msg-1"])
    revisions: list[RevisionView] = Field(description="As first sent, then as edited.")


def search_for(
    group_id: GroupId,
    since: Since = None,
    until: Until = None,
    member_id: MemberId = None,
    verdict: Judged = None,
) -> Search:
    """What the query asks for."""
    return Search(group_id, since, until, member_id, verdict.value if verdict else None)


@router.get("", summary="List what was said in a group")
async def list_messages(
    db: ReadDatabase, paging: Paging, wanted: Annotated[Search, Depends(search_for)]
) -> Page[RevisionView]:
    """In the order it was sent; an edited message stands there once for each revision."""
    found = await store.search(db, wanted, place_in(paging), paging.limit + 1)
    return paging.page(found, lambda each: each.place, revision_view)


@router.get("/{message_id}", summary="Read a message, its revisions and how each was judged")
async def read_message(db: ReadDatabase, message_id: MessagePath, group_id: InGroup = None) -> MessageView:
    """404 for a message that has not been judged, 409 where the group has to be named."""
    found = await find_message(db, message_id, group_id)
    return MessageView(message_id=message_id, revisions=list(map(revision_view, found)))


def place_in(paging: PageRequest) -> Place | None:
    """The place of the last message that the caller has."""
    keys = paging.after(datetime, str)
    return Place(*keys) if keys else None  # type: ignore[arg-type] # `after` has seen to it


def revision_view(found: Archived) -> RevisionView:
    """What people see of an archived revision."""
    document = found.document
    return RevisionView(
        message_id=found.message_id,
        revision=found.revision,
        group_id=document["group_id"],
        member_id=document["member_id"],
        role=document["role"],
        kind=document["kind"],
        sent_at=document["sent_at"],
        archived_at=document.get("archived_at"),
        expires_on=document.get("expires_on"),
        text=document["text"],
        verdict=document["verdict"],
        reasons=[ReasonView(**reason) for reason in document.get("reasons", ())],
        policy=document["policy"],
        lexicon=document["lexicon"],
        recalled_by=document.get("recalled_by"),
        recalled_at=document.get("recalled_at"),
    )
