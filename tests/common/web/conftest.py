"""A small service with a slice of notes, served over real HTTP with a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Path, Query, Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.store import Database, DuplicateKey, OutsideTransaction, connect, ensure_indexes
from huiqun.web import (
    WEB_INDEXES,
    AppOptions,
    Caller,
    IfMatch,
    OidcOptions,
    Page,
    Paging,
    Principal,
    Problem,
    RateLimits,
    ReadDatabase,
    Role,
    Router,
    ServerOptions,
    WriteOnce,
    WriteResult,
    body_of,
    create_api_key,
    create_app,
    limit_body,
    read_only,
    require_role,
    serve,
    set_etag,
)
from huiqun.web.provided import provided
from huiqun.work import WORK_INDEXES, Transactor, Work
from huiqun.work.transactor import TransactorOptions
from local.ports import free_port

NoteId = Annotated[str, Path(description="The note's id.", examples=["n1"])]


class Note(BaseModel):
    id: str = Field(description="The note's id.", examples=["n1"], min_length=1, max_length=64)
    text: str = Field(description="What it says.", examples=["你好"], max_length=2000)
    weight: int = Field(default=1, description="How much it counts.", examples=[1])
    labels: dict[str, str] = Field(default={}, description="Anything else.", examples=[{"colour": "red"}])


def note_of(document: dict[str, Any]) -> Note:
    return Note(id=document["_id"], text=document["text"], weight=document["weight"], labels=document["labels"])


@dataclass
class Gate:
    """Holds a use case until the test opens it."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


TheGate = Annotated[Gate, provided(Gate)]
router = Router("/api/v1/notes", tag="notes", role="viewer")


@router.get("", summary="List the notes")
async def list_notes(db: ReadDatabase, paging: Paging) -> Page[Note]:
    after = paging.after(str)
    query = {"_id": {"$gt": after[0]}} if after else {}
    found = await db.collection("notes").find(query).sort("_id", 1).limit(paging.limit + 1).to_list(None)
    return paging.page(found, lambda document: (document["_id"],), note_of)


@router.get("/heavier", summary="List the notes above a weight")
async def list_heavier(
    db: ReadDatabase,
    weight: Annotated[int, Query(description="What they must weigh more than.", examples=[3])],
    paging: Paging,
) -> Page[Note]:
    found = await db.collection("notes").find({"weight": {"$gt": weight}}).sort("_id", 1).to_list(None)
    return paging.page(found, lambda document: (document["_id"],), note_of)


@router.get("/broken", summary="Fail")
async def broken() -> Note:
    raise RuntimeError("the password is hunter2")


@router.get("/{note_id}", summary="Read a note")
async def read_note(db: ReadDatabase, note_id: NoteId, response: Response) -> Note:
    document = await db.collection("notes").find_one({"_id": note_id})
    if document is None:
        raise Problem(404, "not-found", "There is no such note.")
    set_etag(response, document["version"])
    return note_of(document)


@router.post("", summary="Write a note", status_code=201, response_model=Note, dependencies=[require_role("operator")])
async def create_note(note: Note, write: WriteOnce) -> Response:
    async def create(work: Work) -> WriteResult:
        document = {"_id": note.id, **note.model_dump(exclude={"id"}), "version": 1}
        try:
            await work.collection("notes").insert_one(document)
        except DuplicateKey:
            raise Problem(409, "exists", "There is such a note.") from None
        return WriteResult(note, version=1, location=f"/api/v1/notes/{note.id}")

    return await write(create)


@router.post("/count", summary="Add one to a counter", response_model=Note)
async def count(gate: TheGate, write: WriteOnce, who: Annotated[Principal, require_role("operator")]) -> Response:
    async def add(work: Work) -> Note:
        counter = await work.collection("counters").find_one_and_update(
            {"_id": "counter"}, {"$inc": {"weight": 1}}, upsert=True
        )
        if not gate.opened.is_set():
            gate.reached.set()
            await gate.opened.wait()
        assert counter is not None
        return Note(id="counter", text=who.name, weight=counter["weight"])

    return await write(add)


@router.put("/{note_id}", summary="Change a note", response_model=Note, dependencies=[require_role("operator")])
async def change_note(note_id: NoteId, note: Note, seen: IfMatch, write: WriteOnce) -> Response:
    async def change(work: Work) -> WriteResult:
        document = await work.collection("notes").find_one({"_id": note_id})
        if document is None:
            raise Problem(404, "not-found", "There is no such note.")
        seen.check(document["version"])
        version = document["version"] + 1
        changed = {**note.model_dump(exclude={"id"}), "version": version}
        await work.collection("notes").replace_one({"_id": note_id}, changed)
        return WriteResult(note, version=version)

    return await write(change)


@router.delete("/{note_id}", summary="Remove a note", status_code=204, dependencies=[require_role("admin")])
async def remove_note(note_id: NoteId, write: WriteOnce) -> Response:
    async def remove(work: Work) -> None:
        await work.collection("notes").delete_one({"_id": note_id})

    return await write(remove)


@router.post("/trial", summary="Look at a note without keeping it", dependencies=[read_only()])
async def try_note(note: Note) -> Note:
    return note


@router.post(
    "/import",
    summary="Say how long a text is",
    dependencies=[read_only(), limit_body(3 * 1024 * 1024)],
)
async def measure(request: Request, who: Caller) -> Note:
    return Note(id=who.id, text=who.name, weight=len(body_of(request).content))


pages = Router("/page", tag="pages", role="anyone")


@pages.get("", summary="Show a member a page")
async def show_page(token: Annotated[str, Query(description="What makes the link.", examples=["x"])] = "") -> Note:
    return Note(id="page", text=token)


@pages.post("", summary="Take what a member sends")
async def take(request: Request) -> Note:
    return Note(id="page", text="", weight=len(body_of(request).content))


@dataclass
class Service:
    """A running app: `http` talks to it without credentials, `as_role` with them."""

    url: str
    http: httpx.AsyncClient
    db: Database
    gate: Gate
    stop: asyncio.Event
    task: "asyncio.Task[None]"
    failing: set[str]
    app: FastAPI

    async def as_role(self, *roles: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {await create_api_key(OutsideTransaction(self.db), 'tester', roles)}"}


@asynccontextmanager
async def running(
    mongo_url: str,
    database_name: str,
    oidc: OidcOptions | None = None,
    request_seconds: float = 10,
    limits: RateLimits | None = None,
    server: ServerOptions | None = None,
    routers: Sequence[Router] = (router, pages),
    provided: Sequence[object] = (),
) -> AsyncIterator[Service]:
    client = connect(mongo_url)
    db = client[database_name]
    await ensure_indexes(db, {**WEB_INDEXES, **WORK_INDEXES, "notes": [], "counters": []})
    silent = Publisher(KafkaOptions("nowhere"))  # no note is an event
    gate, failing, stop = Gate(), set[str](), asyncio.Event()
    gate.opened.set()

    async def answer_unless(name: str) -> None:
        if name in failing:
            raise ConnectionError(name)

    app = create_app(
        AppOptions(
            title="Notes",
            version="1",
            description="A service to test with",
            db=db,
            transact=Transactor(client, db, silent, SystemClock(), TransactorOptions(request_seconds)).run,
            routers=routers,
            alive=lambda: "loops" not in failing,
            checks={"broker": lambda: answer_unless("broker"), "store": lambda: answer_unless("store")},
            oidc=oidc,
            limits=limits or RateLimits(),
            provided=(gate, *provided),
        )
    )
    port = free_port()
    task = asyncio.create_task(serve(app, "127.0.0.1", port, stop, server))
    url = f"http://127.0.0.1:{port}"
    transport = httpx.AsyncHTTPTransport(retries=5)  # until the server listens
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=20) as http:
        yield Service(url, http, db, gate, stop, task, failing, app)
    stop.set()
    await task
    await client.close()


Start = Callable[[OidcOptions | None], AbstractAsyncContextManager[Service]]


@pytest.fixture
def start(mongo_url: str, database_name: str) -> Start:
    """Serve the notes, with an identity provider or without."""
    return lambda oidc: running(mongo_url, database_name, oidc)


@pytest_asyncio.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    async with start(None) as service:
        yield service
