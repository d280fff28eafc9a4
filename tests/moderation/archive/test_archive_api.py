"""The archive over HTTP, for auditors: who wrote what, holds, samples, exports."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON
from huiqun.testing.waiting import eventually, running_component
from tests.moderation.archive.test_records_api import group_id, judge, said
from tests.moderation.interface import Interface, kind_of

CARD = "6222021001122334409"
RANGE = {"from": (NOON - timedelta(hours=1)).isoformat(), "to": (NOON + timedelta(hours=1)).isoformat()}


@pytest_asyncio.fixture
async def with_tasks(interface: Interface) -> AsyncIterator[Interface]:
    """The interface, with the tasks of the service running."""
    async with running_component(interface.rig.task_runner()):
        yield interface


async def test_who_posted_a_card_is_answered_page_by_page_and_audited(interface: Interface) -> None:
    group = group_id()
    await judge(
        interface, [*said(group, f"卡号{CARD}", "没有", f"还是 {CARD}"), *said(group, f"也是{CARD}", member="u2")]
    )
    body = {"value": f" {CARD[:4]}-{CARD[4:]} ", "kind": "bank_card"}
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await interface.ask("POST", "/messages/lookup", "auditor", json=body, params={"limit": 1, **cursor})
        assert page.status_code == 200, page.text
        found += [each["member_id"] for each in page.json()["items"] if each["group_id"] == group]
        if not page.json()["next_cursor"]:
            break
        cursor = {"cursor": page.json()["next_cursor"]}
    assert sorted(found) == ["u1", "u1", "u2"]
    assert "personal_data.looked_up" in await interface.audited("personal_data/bank_card")
    entries = await interface.rig.database["audit_log"].find().to_list(None)
    assert CARD not in str(entries)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("你好", "bank_card", "no-personal-data"),
        (CARD, "mobile", "no-personal-data"),
        (CARD, "name", "invalid-request"),
    ],
)
async def test_only_personal_data_can_be_looked_up(interface: Interface, value: str, kind: str, expected: str) -> None:
    answer = await interface.ask("POST", "/messages/lookup", "auditor", json={"value": value, "kind": kind})
    assert kind_of(answer) == (422, expected)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/messages/lookup"),
        ("GET", "/messages/sample"),
        ("POST", "/messages/m/reviews"),
        ("GET", "/message-reviews"),
        ("GET", "/holds"),
        ("POST", "/holds"),
        ("GET", "/exports"),
        ("GET", "/exports/x/file"),
    ],
)
async def test_supervision_is_for_auditors(interface: Interface, method: str, path: str) -> None:
    assert kind_of(await interface.ask(method, path, "moderator")) == (403, "forbidden")


async def test_a_hold_is_placed_comes_through_and_is_lifted(with_tasks: Interface) -> None:
    group = group_id()
    await judge(with_tasks, said(group, "大家好"))
    placed = await with_tasks.ask("POST", "/holds", "auditor", json={"groups": [group], **RANGE, "reason": "案件 1"})
    assert placed.status_code == 201, placed.text
    path = placed.headers["location"].removeprefix("/api/v1")
    assert (await with_tasks.ask("GET", path, "auditor")).json()["unsettled"] == 1

    async def expiry() -> Any:
        answer = await with_tasks.ask("GET", "/messages", "viewer", params={"group_id": group})
        return answer.json()["items"][0]["expires_on"]

    async def is_held() -> bool:
        return await expiry() is None

    await eventually(is_held)
    listed = await with_tasks.ask("GET", "/holds", "auditor", params={"only_open": True, "limit": 200})
    assert path.rpartition("/")[2] in [each["id"] for each in listed.json()["items"]]
    lifted = await with_tasks.ask("POST", f"{path}/lift", "auditor", json={"reason": "已结"})
    assert lifted.json()["lift_reason"] == "已结"
    assert kind_of(await with_tasks.ask("POST", f"{path}/lift", "auditor", json={"reason": "已结"}))[0] == 409

    async def is_let_go() -> bool:
        return await expiry() is not None

    await eventually(is_let_go)
    assert await with_tasks.audited(path[1:].replace("holds", "hold")) == ["hold.placed", "hold.lifted"]
    assert kind_of(await with_tasks.ask("GET", f"/holds/{new_id()}", "auditor")) == (404, "unknown-hold")


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "everything"},
        {"groups": ["g"], "reason": " "},
        {"groups": ["g"], "reason": "x", "from": RANGE["to"], "to": RANGE["from"]},
        {"groups": ["a/b"], "reason": "x"},
    ],
)
async def test_a_hold_that_makes_no_sense_is_refused(interface: Interface, body: dict[str, Any]) -> None:
    assert kind_of(await interface.ask("POST", "/holds", "auditor", json=body)) == (422, "invalid-request")


async def test_a_supervisor_draws_a_sample_and_says_what_is_to_be_said(interface: Interface) -> None:
    group = group_id()
    await judge(interface, said(group, *(f"第{number}句" for number in range(20))))
    order = {"seed": "2026-Q4", **RANGE, "group_id": group, "size": 5}
    first = (await interface.ask("GET", "/messages/sample", "auditor", params=order)).json()
    message_id = first["items"][0]["message"]["message_id"]
    opinion = {"outcome": "concern", "note": "留了电话 13800138000"}
    said_so = await interface.ask("POST", f"/messages/{message_id}/reviews", "auditor", json=opinion)
    assert (said_so.status_code, said_so.json()["note"]) == (201, "留了电话 138****8000")
    again = (await interface.ask("GET", "/messages/sample", "auditor", params=order)).json()
    assert (again["population"], len(again["items"])) == (20, 5)
    assert [each["message"] for each in again["items"]] == [each["message"] for each in first["items"]]
    assert again["items"][0]["reviews"] == [said_so.json()]
    of_message = await interface.ask("GET", f"/messages/{message_id}/reviews", "auditor")
    assert of_message.json()["items"] == [said_so.json()]
    concerns = await interface.ask(
        "GET", "/message-reviews", "auditor", params={"group_id": group, "outcome": "concern"}
    )
    assert concerns.json()["items"] == [said_so.json()]
    fine = await interface.ask("GET", "/message-reviews", "auditor", params={"group_id": group, "outcome": "ok"})
    assert fine.json()["items"] == []
    assert await interface.audited(f"message/{message_id}") == ["message.reviewed"]
    unknown = await interface.ask("POST", f"/messages/{new_id()}/reviews", "auditor", json=opinion)
    assert kind_of(unknown) == (404, "unknown-message")


@pytest.mark.parametrize(
    "change",
    [{"to": RANGE["from"]}, {"to": "2027-11-01T00:00:00Z"}, {"size": "501"}, {"seed": ""}, {"group_id": "a/b"}],
)
async def test_a_sample_that_makes_no_sense_is_refused(interface: Interface, change: dict[str, str]) -> None:
    order = {"seed": "2026-Q4", **RANGE, **change}
    assert kind_of(await interface.ask("GET", "/messages/sample", "auditor", params=order)) == (422, "invalid-request")


async def test_an_export_is_asked_for_followed_and_fetched_in_pieces(with_tasks: Interface) -> None:
    group = group_id()
    await judge(with_tasks, said(group, "大家好", "=1+1", "再见"))
    body = {"groups": [group], **RANGE, "format": "csv"}
    asked = await with_tasks.ask("POST", "/exports", "auditor", json=body)
    assert asked.status_code == 202, asked.text
    path = asked.headers["location"].removeprefix("/api/v1")

    async def is_done() -> bool:
        return bool((await with_tasks.ask("GET", path, "auditor")).json()["state"] == "done")

    await eventually(is_done)
    export = (await with_tasks.ask("GET", path, "auditor")).json()
    assert (export["total"], export["messages"]) == (3, 3)
    file = await with_tasks.ask("GET", f"{path}/file", "auditor")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(file.content) == export["bytes"]
    assert hashlib.sha256(file.content).hexdigest() == export["sha256"]
    assert "'=1+1" in file.text
    rest = await with_tasks.ask("GET", f"{path}/file", "auditor", headers={"Range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, file.content[100:])
    assert rest.headers["content-range"] == f"bytes 100-{export['bytes'] - 1}/{export['bytes']}"
    piece = await with_tasks.ask("GET", f"{path}/file", "auditor", headers={"Range": "bytes=3-12"})
    assert piece.content == file.content[3:13]
    beyond = await with_tasks.ask("GET", f"{path}/file", "auditor", headers={"Range": "bytes=999999-"})
    assert kind_of(beyond) == (416, "range-not-satisfiable")
    listed = await with_tasks.ask("GET", "/exports", "auditor")
    assert export["id"] in [each["id"] for each in listed.json()["items"]]


async def test_an_export_without_tasks_has_no_file_yet(interface: Interface) -> None:
    body = {"groups": [group_id()], **RANGE, "format": "jsonl"}
    asked = await interface.ask("POST", "/exports", "auditor", json=body)
    path = asked.headers["location"].removeprefix("/api/v1")
    assert kind_of(await interface.ask("GET", f"{path}/file", "auditor")) == (409, "export-unfinished")
    assert kind_of(await interface.ask("GET", f"/exports/{new_id()}", "auditor")) == (404, "unknown-export")
    assert kind_of(await interface.ask("GET", f"/exports/{new_id()}/file", "auditor")) == (404, "unknown-export")
    backwards = {**body, "from": RANGE["to"], "to": RANGE["from"]}
    assert kind_of(await interface.ask("POST", "/exports", "auditor", json=backwards)) == (422, "invalid-request")
