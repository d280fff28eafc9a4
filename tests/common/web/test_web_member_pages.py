"""Members' pages behind signed links: what a browser is answered, whatever the page is for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse

from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.links import LinkGrant, LinkPurpose, SignedLinks
from huiqun.store import Reader
from huiqun.web import Router
from huiqun.web.html import html_page, notice_paragraph
from huiqun.web.member_pages import ACT_RESPONSES, SHOW_RESPONSES, MemberPages, TokenInPath
from huiqun.work import Work
from tests.common.web.conftest import Service, running

PURPOSE = LinkPurpose("huiqun/tests/rsvp", "/rsvp/{token}", ("member",))
LINKS = SignedLinks(RotatingKey(b"a key for tests", b"the one before"), "https://groups.example.com")
FORMER = SignedLinks(RotatingKey(b"the one before"), None)


class FullError(RuntimeError):
    """Nobody else can come."""


PAGES = MemberPages(PURPOSE, "报名", "请联系群主。", settled={FullError: lambda error: f"名额已满（{error}）。"})
router = Router("/rsvp", tag="rsvp", role="anyone")


async def seats_left(reader: Reader) -> int:
    if await reader.collection("counters").find_one({"_id": "full"}):
        raise FullError("共 1 席")
    return 1 - await reader.collection("notes").count_documents({})


@router.get("/{token}", summary="Show the seats that are left", response_class=HTMLResponse, responses=SHOW_RESPONSES)
async def show_seats(request: Request, token: TokenInPath) -> HTMLResponse:
    async def find(reader: Reader, grant: LinkGrant) -> HTMLResponse:
        assert not isinstance(reader, Work)
        return html_page("报名", notice_paragraph(f"{grant.claims['member']}：{await seats_left(reader)}"))

    return await PAGES.show(request, token, find)


@router.post("/{token}", summary="Take a seat", response_class=HTMLResponse, responses=ACT_RESPONSES)
async def take_seat(request: Request, token: TokenInPath) -> HTMLResponse:
    async def use_case(work: Work, grant: LinkGrant) -> HTMLResponse:
        await work.collection("notes").update_one(
            {"_id": grant.claims["member"]}, {"$set": {"came": True}}, upsert=True
        )
        await seats_left(work)
        return html_page("报名", notice_paragraph("已报名。"))

    return await PAGES.act(request, token, use_case)


@pytest_asyncio.fixture
async def service(mongo_url: str, database_name: str) -> AsyncIterator[Service]:
    async with running(mongo_url, database_name, routers=[router], provided=[LINKS]) as service:
        yield service


def path_of(links: SignedLinks = LINKS, *, seconds: int = 60) -> str:
    token = links.create_token(PURPOSE, {"member": "u1"}, datetime.now(UTC) + timedelta(seconds=seconds))
    return f"/rsvp/{token}"


async def asked(service: Service, method: str, path: str) -> tuple[int, str]:
    answer = await service.http.request(method, path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    return answer.status_code, answer.text


async def test_a_look_changes_nothing_and_a_button_pressed_twice_counts_once(service: Service) -> None:
    path = path_of()
    for _ in range(2):
        assert "u1：1" in (await asked(service, "GET", path))[1]
    for _ in range(2):
        status, text = await asked(service, "POST", path)
        assert (status, "已报名。" in text) == (200, True)
    assert "u1：0" in (await asked(service, "GET", path))[1]
    assert await service.db["notes"].count_documents({}) == 1


async def test_a_link_that_is_not_ours_is_404_and_one_that_is_too_old_410(service: Service) -> None:
    stranger, expired = SignedLinks(RotatingKey(b"another key"), None), path_of(seconds=-1)
    for method in ("GET", "POST"):
        for path in (path_of(stranger), path_of()[:-3], "/rsvp/x", "/rsvp/" + "é" * 30):
            status, text = await asked(service, method, path)
            assert (status, "链接无效" in text, "请联系群主。" in text) == (404, True, True)
        status, text = await asked(service, method, expired)
        assert (status, "链接已过期" in text, "请联系群主。" in text) == (410, True, True)
    assert await service.db["notes"].count_documents({}) == 0


async def test_what_cannot_be_done_any_more_is_shown_and_is_409_for_who_does_it(service: Service) -> None:
    await service.db["counters"].insert_one({"_id": "full"})
    for method, expected in (("GET", 200), ("POST", 409)):
        status, text = await asked(service, method, path_of())
        assert (status, "名额已满（共 1 席）。" in text) == (expected, True)
    assert await service.db["notes"].count_documents({}) == 0


async def test_a_link_that_was_signed_under_the_key_before_still_opens_its_page(service: Service) -> None:
    assert (await asked(service, "GET", path_of(FORMER)))[0] == 200


async def test_the_document_says_what_pages_answer(service: Service) -> None:
    app: FastAPI = service.app
    routes = app.openapi()["paths"]["/rsvp/{token}"]
    assert {"200", "404", "410"} <= set(routes["get"]["responses"])
    assert {"400", "404", "409", "410"} <= set(routes["post"]["responses"])
