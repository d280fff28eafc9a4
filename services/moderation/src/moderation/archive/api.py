"""The archive: what was said in a group, masked, with how it was judged."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.contracts.moderation import Verdict
from huiqun.web import Page, PageRequest, Paging, ReadDatabase, Router
from huiqun.web.problems import Problems
from moderation.archive.handlers import AmbiguousMessageError, get_revisions, list_messages
from moderation.archive.model import ArchivedMessage, ArchivePlace, MessageSearch

#: A message is named by its id, and by its group where that is not enough.
MESSAGE_PROBLEMS: Final[Problems] = {
    AmbiguousMessageError: (409, "ambiguous-message"),
}
router = Router("/api/v1/messages", tag="archive", role="viewer", problems=MESSAGE_PROBLEMS)

MessagePath = Annotated[Id, Path(description="The message's id.", examples=["msg-1"])]
GroupOfMessage = Annotated[
    Id | None,
    Query(
        alias="group_id",
        description="The group of the message, where several have a message of this id.",
        examples=["group-1"],
    ),
]
GroupId = Annotated[Id, Query(description="The group in which the messages were sent.", examples=["group-1"])]
Since = Annotated[
    Instant | None,
    Query(
        description="Only messages sent then or later; a moment with an offset.", examples=["2026-11-22T00:00:00+08:00"]
    ),
]
Until = Annotated[
    Instant | None,
    Query(
        description="Only messages sent before then; a moment with an offset.", examples=["2026-11-23T00:00:00+08:00"]
    ),
]
MemberId = Annotated[Id | None, Query(description="Only messages that this member wrote.", examples=["member-1"])]
WithVerdict = Annotated[Verdict | None, Query(description="Only messages with this verdict.", examples=["block"])]


class ArchivedReasonView(BaseModel):
    """A rule of the policy that found something in a message."""

    rule: str = Field(description="The rule of the policy that found something.", examples=["lexicon"])
    category: str = Field(description="The category of what the rule found.", examples=["ads"])
    severity: int = Field(description="Severity of the finding, from 1 to 5.", examples=[3])
    confidence: float = Field(description="Confidence of the rule in its finding, from 0 to 1.", examples=[1.0])
    shadow: bool = Field(
        default=False, description="Whether the rule was on trial, so that it changed no verdict.", examples=[False]
    )
    spans: list[tuple[int, int]] = Field(
        description="Where in the original text it was found: first character, and the one after the last.",
        examples=[[[4, 6]]],
    )
    word: str | None = Field(
        default=None, description="The word that was found, after its list.", examples=["huiqun/加薇"]
    )
    stream: str | None = Field(
        default=None, description="The reading of the text in which the word was found.", examples=["folded"]
    )


class RevisionView(BaseModel):
    """A message as it was sent, or as it was edited."""

    message_id: str = Field(description="The message's id.", examples=["msg-1"])
    revision: int = Field(description="0 for the message as first sent, rising with each edit.", examples=[0])
    group_id: str = Field(description="The group in which the message was sent.", examples=["group-1"])
    member_id: str = Field(description="The member who wrote the message.", examples=["member-1"])
    role: str = Field(description="The writer's role in the group.", examples=["customer"])
    kind: str = Field(description="The form of the message.", examples=["text"])
    sent_at: datetime = Field(description="Moment the message was sent.", examples=["2026-11-22T08:00:00Z"])
    archived_at: datetime | None = Field(
        description="Moment the message was archived.", examples=["2026-11-22T08:00:01Z"]
    )
    expires_on: datetime | None = Field(
        description="Moment the message is deleted, a midnight in UTC; null while a legal hold keeps it.",
        examples=["2027-11-23T00:00:00Z"],
    )
    text: str = Field(
        description="The text of the message, with personal data masked.", examples=["我的卡号是 6222************0123"]
    )
    verdict: Verdict = Field(description="How the message was judged.", examples=["block"])
    reasons: list[ArchivedReasonView] = Field(description="The rules that found something in the message.")
    policy: str = Field(description="The policy's version that judged the message.", examples=["default@3"])
    lexicon: str = Field(
        description="The lexicon's version that judged the message.", examples=["2026-11-22T08:00:00Z"]
    )
    recalled_by: str | None = Field(
        description="The member who withdrew the message; null if nobody did.", examples=["member-1"]
    )
    recalled_at: datetime | None = Field(
        description="Moment the message was withdrawn; null if it was not.", examples=["2026-11-22T08:01:00Z"]
    )


class MessageView(BaseModel):
    """A message with everything that became of it."""

    message_id: str = Field(description="The message's id.", examples=["msg-1"])
    revisions: list[RevisionView] = Field(description="The message as first sent, then as edited.")


def message_search(
    group_id: GroupId,
    since: Since = None,
    until: Until = None,
    member_id: MemberId = None,
    verdict: WithVerdict = None,
) -> MessageSearch:
    """What the query asks for."""
    return MessageSearch(group_id, since, until, member_id, verdict.value if verdict else None)


@router.get("", summary="List the messages of a group")
async def list_messages_of_group(
    db: ReadDatabase, paging: Paging, search: Annotated[MessageSearch, Depends(message_search)]
) -> Page[RevisionView]:
    """In the order they were sent; an edited message stands there once for each revision."""
    found = await list_messages(db, search, place_in(paging), paging.limit + 1)
    return paging.page(found, lambda each: each.place, revision_view)


@router.get("/{message_id}", summary="Read a message, its revisions and how each was judged")
async def read_message(db: ReadDatabase, message_id: MessagePath, group_id: GroupOfMessage = None) -> MessageView:
    """404 for a message that has not been judged, 409 where the group has to be named."""
    found = await get_revisions(db, message_id, group_id)
    return MessageView(message_id=message_id, revisions=list(map(revision_view, found)))


def place_in(paging: PageRequest) -> ArchivePlace | None:
    """The place of the last message that the caller has."""
    keys = paging.after(datetime, str)
    return ArchivePlace(*keys) if keys else None  # type: ignore[arg-type] # `after` has seen to it


def revision_view(found: ArchivedMessage) -> RevisionView:
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
        reasons=[ArchivedReasonView(**reason) for reason in document.get("reasons", ())],
        policy=document["policy"],
        lexicon=document["lexicon"],
        recalled_by=document.get("recalled_by"),
        recalled_at=document.get("recalled_at"),
    )
