"""Word lists: read them, put a file in the place of one, remove one."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from huiqun.files.reading import ParsedRows, RowFault, RowFormat
from huiqun.files.uploads import MAX_FAULTS, read_uploaded_rows, row_faults_problem
from huiqun.web import (
    MIB,
    Offloaded,
    Page,
    Paging,
    Principal,
    ReadDatabase,
    Router,
    WriteOnce,
    WriteResult,
    limit_body,
    require_role,
)
from huiqun.work import Work
from moderation.lexicon import handlers, store
from moderation.lexicon.handlers import ImportWordListCommand, ShippedListError, UnfitWordsError
from moderation.lexicon.matching.words import Word
from moderation.lexicon.model import LIST_NAME, WordList

router = Router(
    "/api/v1/lexicon/lists",
    tag="lexicon",
    role="viewer",
    problems={ShippedListError: (409, "shipped-list")},
)

_FORMS = (RowFormat.CSV, RowFormat.JSONL)
_TEXT = {"schema": {"type": "string"}}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": (
            "CSV with a header, of the columns word, category, severity, allow (phrases separated by |), valid_from "
            "and valid_until, the first two required; or one JSON object a line with the same fields. "
            "UTF-8, or what `charset` says: gb18030, gbk, gb2312."
        ),
        "content": {
            "text/csv": {**_TEXT, "example": "word,category,severity\n刷单,fraud,4\n"},
            "application/x-ndjson": {**_TEXT, "example": '{"word": "刷单", "category": "fraud", "severity": 4}\n'},
        },
    },
    "responses": {"415": {"description": "Neither CSV nor JSONL, or an unknown charset"}},
}

ListPath = Annotated[
    str, Path(pattern=f"^{LIST_NAME.pattern}$", description="The name of the word list.", examples=["bank-ads"])
]
OnError = Annotated[
    Literal["refuse", "skip"],
    Query(description="What an unfit row leads to: the file is refused, or the row is left out.", examples=["skip"]),
]
Moderator = Annotated[Principal, require_role("moderator")]


class WordListView(BaseModel):
    """A list of words, without the words themselves."""

    name: str = Field(description="The name of the word list.", examples=["bank-ads"])
    words: int = Field(description="The number of words on the list.", examples=[1520])
    checksum: str = Field(description="The SHA-256 of the file that the list came from.", examples=["9f86d081884c7d65"])
    imported_by: str = Field(
        description="The id of the person or key that imported the list.", examples=["key:5f2a9c01d4e8b7a3"]
    )
    imported_at: datetime = Field(
        description="The time at which the list was imported.", examples=["2026-11-22T08:00:00Z"]
    )


class WordRowErrorView(BaseModel):
    """Why a row of the file was left out."""

    line: int = Field(description="The line of the file, from 1.", examples=[17])
    field: str = Field(description="The column that is wrong, or `row` for all of it.", examples=["severity"])
    reason: str = Field(description="What is wrong with the field.", examples=["is not between 1 and 5"])


class WordListImportView(WordListView):
    """The list as it is now, and what was left out of the file."""

    changed: bool = Field(
        description="Whether the list has changed: not if it came from the same file before.", examples=[True]
    )
    unfit_rows: int = Field(description="The number of rows that were left out.", examples=[1])
    errors: list[WordRowErrorView] = Field(description="Why rows were left out; the first 1000 of them.")


class WordView(BaseModel):
    """A word of a list."""

    id: str = Field(description="The word's id.", examples=["bank-ads/刷单"])
    word: str = Field(description="The word as it was written.", examples=["刷单"])
    category: str = Field(description="The category of the word; policies act on categories.", examples=["fraud"])
    severity: int = Field(description="The severity of the word, from 1 to 5.", examples=[4])
    allow: list[str] = Field(description="Phrases that contain the word and are harmless.", examples=[["谨防刷单"]])
    valid_from: date | None = Field(
        description="The first day on which the word counts; null for ever since.", examples=["2026-11-01"]
    )
    valid_until: date | None = Field(
        description="The last day on which the word counts; null for ever after.", examples=["2026-11-30"]
    )


@router.get("", summary="List the word lists")
async def list_word_lists(db: ReadDatabase, paging: Paging) -> Page[WordListView]:
    """By name; `huiqun` and `huiqun-staff` come with the service."""
    found = await store.list_word_lists(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda entry: (entry.name,), _view_list)


@router.get("/{name}", summary="Read a word list without its words")
async def read_word_list(db: ReadDatabase, name: ListPath) -> WordListView:
    """The words themselves are under `/words`."""
    return _view_list(await handlers.get_word_list(db, name))


@router.get("/{name}/words", summary="List the words of a word list")
async def list_words(db: ReadDatabase, name: ListPath, paging: Paging) -> Page[WordView]:
    """By id."""
    await handlers.get_word_list(db, name)
    found = await store.list_words(db, name, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda word: (word.id,), _view_word)


def _parse_file(request: Request, name: str, *, keep_going: bool) -> tuple[ParsedRows[Word], ImportWordListCommand]:
    content, form = read_uploaded_rows(request, _FORMS)
    read = handlers.parse_word_file(content, form, name, keep_going=keep_going)
    return read, ImportWordListCommand(name, read.records, handlers.checksum_text(content))


async def parse_received_words(
    request: Request, name: ListPath, offload: Offloaded, on_error: OnError = "refuse"
) -> tuple[ParsedRows[Word], ImportWordListCommand]:
    """Return the words of the file that was sent, and what is unfit in it; Problem 422."""
    try:
        # Reading 60,000 rows takes a second of processor time: elsewhere, so that heartbeats and requests go on.
        return await offload(_parse_file, request, name, keep_going=on_error == "skip")
    except UnfitWordsError as error:
        raise row_faults_problem("unfit-words", error.faults) from None


@router.put(
    "/{name}",
    summary="Replace a word list by a file of words",
    response_model=WordListImportView,
    dependencies=[limit_body(32 * MIB)],
    openapi_extra=_FILE,
)
async def replace_word_list(
    received: Annotated[tuple[ParsedRows[Word], ImportWordListCommand], Depends(parse_received_words)],
    write: WriteOnce,
    who: Moderator,
) -> Response:
    """In force everywhere once it is compiled, seconds later. A list of the same content stays as it is.

    A file that cannot be read to its end, or has no fit row, is refused whatever `on_error` says.
    """
    read, file = received

    async def use_case(work: Work) -> WriteResult:
        entry, changed = await handlers.import_word_list(work, file, who.id)
        errors = [_view_fault(fault) for fault in read.faults[:MAX_FAULTS]]
        shown = _view_list(entry).model_dump()
        return WriteResult(WordListImportView(**shown, changed=changed, unfit_rows=len(read.faults), errors=errors))

    return await write(use_case)


@router.delete("/{name}", summary="Delete a word list with its words", status_code=204)
async def delete_word_list(name: ListPath, write: WriteOnce, who: Moderator) -> Response:
    """In force everywhere within two seconds."""

    async def use_case(work: Work) -> None:
        await handlers.delete_word_list(work, name, who.id)

    return await write(use_case)


def _view_list(entry: WordList) -> WordListView:
    return WordListView(
        name=entry.name,
        words=entry.words,
        checksum=entry.checksum,
        imported_by=entry.imported_by,
        imported_at=entry.imported_at,
    )


def _view_fault(fault: RowFault) -> WordRowErrorView:
    return WordRowErrorView(line=fault.line, field=fault.field, reason=fault.reason)


def _view_word(word: Word) -> WordView:
    return WordView(
        id=word.id,
        word=word.text,
        category=word.category,
        severity=word.severity,
        allow=list(word.allow),
        valid_from=word.valid_from,
        valid_until=word.valid_until,
    )
