"""Legal holds over HTTP, for auditors."""

from datetime import timedelta
from typing import Any

import pytest

from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON
from huiqun.testing.waiting import eventually
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface, kind_of

RANGE = {"from": (NOON - timedelta(hours=1)).isoformat(), "to": (NOON + timedelta(hours=1)).isoformat()}


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
    assert kind_of(await with_tasks.ask("GET", f"/holds/{new_id()}", "auditor")) == (404, "not-found")


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
