"""The review queue, reports, examples and the appeal page as callers meet them, over real HTTP."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from huiqun.contracts.moderation import CaseOutcome
from huiqun.testing.http import list_all_pages
from huiqun.web import Role, create_api_key
from moderation.cases.model import APPEAL, AppealGrant
from tests.moderation.rig import BAD, DOUBTFUL, FINE, LINKS, ModerationRig

HAND_WRITTEN = "我是被误会的 <b>真的</b>，电话 13812345678"


@dataclass
class Service:
    """People who ask the interface: `http` is somebody without a key."""

    rig: ModerationRig
    http: httpx.AsyncClient
    clients: dict[Role, httpx.AsyncClient]

    async def get(self, path: str, role: Role = "viewer", **parameters: Any) -> httpx.Response:
        return await self.clients[role].get(path, params=parameters)

    async def post(
        self, path: str, body: Any = None, role: Role = "moderator", *, seen: str | None = None, key: str | None = None
    ) -> httpx.Response:
        headers = {name: value for name, value in (("Idempotency-Key", key), ("If-Match", seen)) if value is not None}
        return await self.clients[role].post(path, json=body, headers=headers)

    async def only_case(self, **query: Any) -> str:
        [case] = await self.rig.cases(**query)
        return f"/api/v1/cases/{case.id}"


@pytest_asyncio.fixture
async def service(rig: ModerationRig) -> Service:
    roles: tuple[Role, ...] = ("viewer", "operator", "moderator", "auditor")
    return Service(rig, await rig.http(), {role: await rig.http(role) for role in roles})


async def test_a_moderator_takes_a_case_from_the_queue_to_its_decision(service: Service) -> None:
    await service.rig.say(DOUBTFUL)
    case = await service.only_case()
    [listed] = (await service.get("/api/v1/cases", state="open")).json()["items"]
    assert (listed["text"], listed["state"], listed["reasons"][0]["category"]) == (DOUBTFUL, "open", "rumour")
    claimed = await service.post(f"{case}/claim")
    assert (claimed.status_code, claimed.json()["state"]) == (200, "claimed")
    assert claimed.json()["holder"]["name"] == "moderator"
    assert (await service.get("/api/v1/cases", state="open")).json()["items"] == []
    for query in ({"state": "claimed"}, {"assignee": claimed.json()["holder"]["id"]}, {}):
        assert len((await service.get("/api/v1/cases", **query)).json()["items"]) == 1
    read = await service.get(case)
    tag = read.headers["etag"]
    commented = await service.post(f"{case}/comments", {"text": "客户电话 13812345678 已核实"})
    assert commented.status_code == 201
    assert commented.json()["comments"][0]["text"] == "客户电话 138****5678 已核实"
    assert (await service.post(f"{case}/uphold", {}, seen=tag)).status_code == 412
    assert (await service.post(f"{case}/uphold", {})).status_code == 428
    decided = await service.post(f"{case}/uphold", {"note": "不实"}, seen=commented.headers["etag"], key="once")
    assert (decided.status_code, decided.json()["state"]) == (200, "upheld")
    assert decided.json()["decision"]["by"]["name"] == "moderator"
    again = await service.post(f"{case}/uphold", {"note": "不实"}, seen=commented.headers["etag"], key="once")
    assert again.json() == decided.json()
    assert len((await service.rig.standing()).strikes) == 1
    late = await service.post(f"{case}/reverse", {}, seen="*")
    assert (late.status_code, late.json()["type"]) == (409, "urn:huiqun:problem:case-closed")


async def test_a_case_in_somebody_elses_hands_is_409_and_a_category_has_to_be_another(service: Service) -> None:
    message_id = await service.rig.say(BAD)
    reported = await service.post("/api/v1/reports", {"message_id": message_id, "note": "骗子"}, "operator")
    assert (reported.status_code, reported.json()["kind"]) == (201, "report")
    case = await service.only_case()
    assert reported.headers["location"] == case
    assert (await service.post(f"{case}/claim")).status_code == 200
    key = await create_api_key(service.rig.reader, "another", ["moderator"])
    service.clients["moderator"] = await (await service.rig.interface()).open_client({"X-API-Key": key})
    for path, body in ((f"{case}/claim", None), (f"{case}/release", None), (f"{case}/reverse", {})):
        held = await service.post(path, body, seen="*")
        assert (held.status_code, held.json()["type"]) == (409, "urn:huiqun:problem:case-held")
        assert "moderator" in held.json()["detail"]
    service.rig.clock.moment += timedelta(minutes=20)
    assert (await service.post(f"{case}/claim")).status_code == 200
    assert (await service.post(f"{case}/release")).json()["holder"] is None
    same = await service.post(f"{case}/reclassify", {"category": "fraud"}, seen="*")
    assert (same.status_code, same.json()["type"]) == (422, "urn:huiqun:problem:same-category")
    assert (await service.post(f"{case}/reclassify", {"category": "ads"}, seen="*")).json()["state"] == "reclassified"


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
async def test_only_moderators_decide(service: Service, role: Role) -> None:
    await service.rig.say(DOUBTFUL)
    case = await service.only_case()
    assert (await service.get(case, role)).status_code == 200
    for verb in ("claim", "release", "comments", "uphold", "reverse", "reclassify"):
        assert (await service.post(f"{case}/{verb}", {}, role, seen="*")).status_code == 403
    assert (await service.http.get("/api/v1/cases")).status_code == 401


async def test_what_does_not_exist_is_404_and_what_is_malformed_422(service: Service) -> None:
    assert (await service.get("/api/v1/cases/review-none")).status_code == 404
    assert (await service.post("/api/v1/cases/review-none/claim")).status_code == 404
    assert (await service.post("/api/v1/reports", {"message_id": "m-none"}, "operator")).status_code == 422
    assert (await service.post("/api/v1/cases/x/comments", {"text": ""})).status_code == 422
    assert (await service.get("/api/v1/cases", state="lost")).status_code == 422
    assert (await service.get("/api/v1/cases", severity=6)).status_code == 422


async def test_the_queue_is_listed_page_by_page_in_both_orders_and_by_every_filter(service: Service) -> None:
    rig = service.rig
    for number in range(4):
        await rig.say(DOUBTFUL, f"u{number}")
        await rig.say("举报", "u9", reply_to=await rig.say(FINE, f"v{number}"))
        rig.clock.moment += timedelta(minutes=5)
    http = service.clients["viewer"]
    by_age = await list_all_pages(http, "/api/v1/cases", 3)
    assert [each["opened_at"] for each in by_age] == sorted(each["opened_at"] for each in by_age)
    assert len({each["id"] for each in by_age}) == 8
    severe = await list_all_pages(http, "/api/v1/cases", 3, order="severity")
    assert [each["severity"] for each in severe] == [3] * 4 + [2] * 4
    assert [each["opened_at"] for each in severe[:4]] == sorted(each["opened_at"] for each in severe[:4])
    filters = (("kind", "report"), ("category", "rumour"), ("severity", "3"), ("group_id", "g2"), ("overdue", "true"))
    numbers = [len(await list_all_pages(http, "/api/v1/cases", 50, **{name: value})) for name, value in filters]
    assert numbers == [4, 4, 4, 0, 0]
    first = (await service.get("/api/v1/cases", limit=3)).json()["next_cursor"]
    assert (await service.get("/api/v1/cases", order="severity", cursor=first)).status_code == 422


async def test_examples_are_exported_line_by_line_and_go_on_behind_the_last(service: Service) -> None:
    rig = service.rig
    for number, outcome in enumerate((CaseOutcome.UPHELD, CaseOutcome.REVERSED, CaseOutcome.REVERSED)):
        await rig.say(f"{DOUBTFUL}{number}", f"u{number}")
        [case] = await rig.cases(state="open")
        await rig.decide(case.id, outcome)

    async def lines(**parameters: Any) -> list[dict[str, Any]]:
        response = await service.get("/api/v1/examples", "operator", **parameters)
        assert response.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in response.text.splitlines()]

    found = await lines()
    assert [(each["text"], each["label"]) for each in found] == [
        (f"{DOUBTFUL}0", "rumour"),
        (f"{DOUBTFUL}1", "clean"),
        (f"{DOUBTFUL}2", "clean"),
    ]
    assert {"suggested", "policy", "decided_by", "decided_at", "id"} <= found[0].keys()
    first = await lines(limit=2)
    assert first + await lines(after=first[-1]["id"]) == found
    assert len(await lines(label="clean")) == 2
    assert (await service.get("/api/v1/examples", "viewer")).status_code == 403
    assert (await service.get("/api/v1/examples", "operator", limit=10_001)).status_code == 422


async def test_a_member_appeals_on_the_page_behind_the_link(service: Service) -> None:
    await service.rig.offend(2)
    [letter] = await service.rig.documents("actions", kind="send_private")
    path = "/api/v1/appeals/" + letter["content"].split("/api/v1/appeals/")[1].split()[0]
    page = await service.http.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "涉嫌欺诈" in page.text
    assert '<form method="post">' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert (await service.http.post(path, data={"reason": "  "})).status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await service.http.post(path, content=b"\xff\xfe=%00&reason=%00", headers=form)).status_code == 400
    assert (await service.http.post(path, data={"reason": "长" * 20_000})).status_code == 413
    sent = await service.http.post(path, data={"reason": HAND_WRITTEN})
    assert (sent.status_code, "申诉已提交" in sent.text) == (201, True)
    [case] = await service.rig.cases()
    assert case.history[0].note == "我是被误会的 <b>真的</b>，电话 138****5678"
    shown = (await service.get("/api/v1/actions")).json()["items"]
    assert [path in action["content"] for action in shown if action["kind"] == "send_private"] == [False]
    again = [await service.http.get(path), await service.http.post(path, data={"reason": "x"})]
    assert [(each.status_code, "请等待" in each.text) for each in again] == [(200, True), (409, True)]
    await service.rig.decide(case.id, CaseOutcome.UPHELD)
    assert "已复核" in (await service.http.get(path)).text
    await service.rig.say("举报", "u2", reply_to=case.message_id)
    [report] = await service.rig.cases(kind="report")
    await service.rig.decide(report.id, CaseOutcome.REVERSED)
    again = [await service.http.get(path), await service.http.post(path, data={"reason": "x"})]
    assert [(each.status_code, "已撤销" in each.text) for each in again] == [(200, True), (409, True)]
    expired = "/api/v1/appeals/" + LINKS.create_token(APPEAL, AppealGrant("g1", "u1", "s1").claims, datetime.now(UTC))
    assert (await service.http.get(expired)).status_code == 410
    assert (await service.http.post(expired, data={"reason": "x"})).status_code == 410
    for wrong in ("/api/v1/appeals/x", path[:-3] + "xyz", "/api/v1/appeals/" + "é" * 30):
        assert (await service.http.get(wrong)).status_code == 404
        assert (await service.http.post(wrong, data={"reason": "x"})).status_code == 404
