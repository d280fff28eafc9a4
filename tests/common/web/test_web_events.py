"""A request whose event no broker would take is refused as too large, and changes nothing."""

from pydantic import BaseModel, Field
from starlette.responses import Response

from huiqun.store import Document
from huiqun.testing.events import message_allowed, message_received
from huiqun.testing.rig import Rig
from huiqun.web import WEB_INDEXES, Router, WriteOnce, require_role
from huiqun.work import Work

router = Router("/api/v1/announcements", tag="announcements", role="operator")


class Announcement(BaseModel):
    """What to announce."""

    length: int = Field(description="How long the announcement's source is.", examples=[3])


@router.post("", summary="Announce", response_model=Announcement, dependencies=[require_role("operator")])
async def announce(wanted: Announcement, write: WriteOnce) -> Response:
    async def use_case(work: Work) -> Announcement:
        document: Document = {"_id": "a1"}
        await work.collection("announcements").insert_one(document)
        work.emit(message_allowed(message_received(1)).model_copy(update={"source": "x" * wanted.length}))
        return wanted

    return await write(use_case)


async def test_an_event_too_large_is_the_callers_problem_and_leaves_nothing_behind(
    mongo_url: str, database_name: str
) -> None:
    async with Rig.open(mongo_url, database_name, {**WEB_INDEXES, "announcements": ()}) as rig:
        rig.wire(routers=[router])
        http = await rig.http("operator")
        for _ in range(2):
            answer = await http.post(
                "/api/v1/announcements", json={"length": 1_000_000}, headers={"Idempotency-Key": "k1"}
            )
            assert (answer.status_code, answer.json()["type"]) == (413, "urn:huiqun:problem:event-too-large")
        assert await rig.documents("announcements") == []
        assert await rig.documents("outbox") == []
