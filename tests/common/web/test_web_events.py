"""A request whose event no broker would take is refused as too large, and changes nothing."""

from pydantic import BaseModel, Field
from starlette.responses import Response

from huiqun.store import Document
from huiqun.web import WEB_INDEXES, Router, WriteOnce, requires
from huiqun.work import Work
from tests.channel import message, verdict_on
from tests.inlet import open_inlet, open_interface

router = Router("/api/v1/announcements", tag="announcements", role="operator")


class Announcement(BaseModel):
    """What to announce."""

    length: int = Field(description="How long the announcement's source is.", examples=[3])


@router.post("", summary="Announce", response_model=Announcement, dependencies=[requires("operator")])
async def announce(wanted: Announcement, write: WriteOnce) -> Response:
    async def use_case(work: Work) -> Announcement:
        document: Document = {"_id": "a1"}
        await work.collection("announcements").insert_one(document)
        work.emit(verdict_on(message(1)).model_copy(update={"source": "x" * wanted.length}))
        return wanted

    return await write(use_case)


async def test_an_event_too_large_is_the_callers_problem_and_leaves_nothing_behind(
    mongo_url: str, database_name: str
) -> None:
    indexes = {**WEB_INDEXES, "announcements": ()}
    async with (
        open_inlet(mongo_url, database_name, lambda _: (), indexes) as inlet,
        open_interface(inlet, [router]) as http,
    ):
        for _ in range(2):
            answer = await http.post(
                "/api/v1/announcements", json={"length": 1_000_000}, headers={"Idempotency-Key": "k1"}
            )
            assert (answer.status_code, answer.json()["type"]) == (413, "urn:huiqun:problem:event-too-large")
        assert await inlet.documents("announcements") == {}
        assert await inlet.documents("outbox") == {}
