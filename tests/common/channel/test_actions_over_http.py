"""An operator sees what was asked of the channel, and takes it back."""

import httpx
import pytest_asyncio

from huiqun.contracts.channel import ActionCompleted, FailureCode
from huiqun.contracts.channel.actions import ActionFailed
from huiqun.runtime.ids import new_id
from tests.common.channel.bench import ActionsBench


@pytest_asyncio.fixture
async def http(bench: ActionsBench) -> httpx.AsyncClient:
    return await bench.http("operator")


async def test_an_action_shows_what_became_of_it(bench: ActionsBench, http: httpx.AsyncClient) -> None:
    asked = bench.action(batch_id="batch-1")
    await bench.ask(asked)
    await bench.answer(asked, ActionFailed, code=FailureCode.CAP, detail="full for today")
    shown = (await http.get(f"/api/v1/actions/{asked.action_id}")).json()
    assert (shown["state"], shown["code"], shown["detail"]) == ("requested", "cap", "full for today")
    assert (shown["retry_at"], shown["batch_id"]) == ("2026-11-23T01:00:00Z", "batch-1")
    listed = (await http.get("/api/v1/actions", params={"state": "open", "group_id": bench.group})).json()["items"]
    assert listed == [shown]


async def test_an_operator_withdraws_an_open_action_once(bench: ActionsBench, http: httpx.AsyncClient) -> None:
    asked = bench.action()
    await bench.ask(asked)
    path = f"/api/v1/actions/{asked.action_id}/withdrawal"
    answer = await http.post(path, json={"reason": "sent by mistake"}, headers={"Idempotency-Key": "w1"})
    shown = answer.json()
    assert (answer.status_code, shown["state"], shown["detail"]) == (200, "withdrawn", "sent by mistake")
    again = await http.post(path, json={"reason": "sent by mistake"}, headers={"Idempotency-Key": "w2"})
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "action-ended")
    await bench.answer(asked, ActionCompleted)
    assert await bench.state_of(asked) == "withdrawn"
    [entry] = await bench.database["audit_log"].find().to_list(None)
    assert (entry["action"], entry["subject"]) == ("action.withdrawn", f"action/{asked.action_id}")


async def test_an_action_that_nobody_asked_for_is_not_found(http: httpx.AsyncClient) -> None:
    path = f"/api/v1/actions/{new_id()}"
    assert (await http.get(path)).status_code == 404
    body = {"reason": "x"}
    assert (await http.post(f"{path}/withdrawal", json=body, headers={"Idempotency-Key": "w"})).status_code == 404
