"""Exports over HTTP, for auditors."""

import hashlib
from datetime import timedelta

from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON
from huiqun.testing.waiting import eventually
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface, kind_of

RANGE = {"from": (NOON - timedelta(hours=1)).isoformat(), "to": (NOON + timedelta(hours=1)).isoformat()}


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
    assert kind_of(await interface.ask("GET", f"/exports/{new_id()}", "auditor")) == (404, "not-found")
    assert kind_of(await interface.ask("GET", f"/exports/{new_id()}/file", "auditor")) == (404, "not-found")
    backwards = {**body, "from": RANGE["to"], "to": RANGE["from"]}
    assert kind_of(await interface.ask("POST", "/exports", "auditor", json=backwards)) == (422, "invalid-request")
