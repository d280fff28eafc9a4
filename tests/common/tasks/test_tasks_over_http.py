"""Tasks over HTTP: an operator sees what waits and what has failed, tries it again or calls it off."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.tasks import api, store
from huiqun.tasks.model import RetryPolicy, TaskKind
from huiqun.testing.clock import ManualClock
from huiqun.testing.http import list_all_pages
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.web import WEB_INDEXES, create_api_key
from huiqun.work import Progress, Task, Transactor, Work
from tests.common.tasks.bench import IN_ORDER, NOW, SECOND, all_done, lease_all, note, ran, runner, schedule

PATH = "/api/v1/tasks"


@dataclass(frozen=True)
class Office:
    """An operator who asks, and what is to be done."""

    http: httpx.AsyncClient
    rig: Rig

    @property
    def transactor(self) -> Transactor:
        return self.rig.transactor

    async def write(self, method: str, path: str, status: int) -> dict[str, Any]:
        answer = await self.http.request(method, f"{PATH}/{path}", headers={"Idempotency-Key": uuid4().hex})
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    async def audited(self) -> list[tuple[str, str]]:
        entries = self.rig.database["audit_log"].find().sort("_id", 1)
        return [(entry["action"], entry["subject"]) async for entry in entries]


@pytest_asyncio.fixture
async def office(mongo_url: str, database_name: str) -> AsyncIterator[Office]:
    indexes = {**AUDIT_INDEXES, **WEB_INDEXES, "ran": ()}
    async with Rig.open(mongo_url, database_name, indexes, clock=ManualClock(NOW)) as rig:
        rig.wire(routers=[api.router])
        yield Office(await rig.http("operator"), rig)


async def break_down(_work: Work, _task: Task) -> None:
    raise RuntimeError("not yet mended")


async def fail(office: Office, *tasks: Task) -> None:
    """Schedule tasks and let them fail for good."""
    await schedule(office.transactor, *tasks)
    broken = TaskKind(break_down, IN_ORDER, RetryPolicy(attempts=1))
    async with running_component(runner(office.transactor, note=broken)):
        await eventually(lambda: all_failed(office, len(tasks)))


async def all_failed(office: Office, number: int) -> bool:
    return sum((await store.count_failed_tasks(office.rig.database)).values()) == number


async def test_tasks_are_listed_by_their_due_time_page_by_page(office: Office) -> None:
    await fail(office, Task("failed", "note", NOW))
    await schedule(office.transactor, *(Task(f"t{n}", "note", NOW + n * SECOND) for n in range(1, 5)))
    listed = await list_all_pages(office.http, PATH, 2)
    assert [each["key"] for each in listed] == ["failed", "t1", "t2", "t3", "t4"]
    assert [each["key"] for each in await list_all_pages(office.http, PATH, 2, state="failed")] == ["failed"]
    assert await list_all_pages(office.http, PATH, 2, kind="another") == []


async def test_a_task_is_shown_with_its_progress_and_whether_it_runs(office: Office) -> None:
    await schedule(office.transactor, Task("export/1/a", "note", NOW, {"export_id": "1"}))
    (task,) = await lease_all(office.transactor, "runner")
    assert await store.report_progress(office.rig.database, task, "runner", Progress(3, 8))
    found = (await office.http.get(f"{PATH}/export/1/a")).json()
    assert (found["state"], found["is_running"], found["progress"]) == ("waiting", True, {"done": 3, "total": 8})
    assert (found["kind"], found["payload"], found["failed_at"]) == ("note", {"export_id": "1"}, None)


async def test_a_failed_task_says_why_and_is_tried_again_when_an_operator_says_so(office: Office) -> None:
    await fail(office, Task("rules/g1", "note", NOW))
    found = (await office.http.get(f"{PATH}/rules/g1")).json()
    assert (found["state"], found["attempts"]) == ("failed", 1)
    assert found["error"].startswith("RuntimeError in break_down")
    await office.write("POST", "rules/g1/retry", 204)
    async with running_component(runner(office.transactor, note=TaskKind(note))):
        await eventually(lambda: all_done(office.transactor))
    assert await ran(office.transactor) == ["rules/g1"]
    assert await office.audited() == [("task.retried", "task/rules/g1")]


async def test_a_cancelled_task_is_not_run(office: Office) -> None:
    await schedule(office.transactor, Task("rules/g1", "note", NOW))
    await office.write("DELETE", "rules/g1", 204)
    assert await all_done(office.transactor)
    assert await office.audited() == [("task.cancelled", "task/rules/g1")]


async def test_what_cannot_be_is_refused(office: Office) -> None:
    await schedule(office.transactor, Task("waiting", "note", NOW))
    assert (await office.write("POST", "waiting/retry", 409))["type"].endswith("task-not-failed")
    assert (await office.write("POST", "nothing/retry", 404))["type"].endswith("not-found")
    assert (await office.write("DELETE", "nothing", 404))["type"].endswith("not-found")
    assert (await office.http.get(f"{PATH}/nothing")).status_code == 404
    assert await office.audited() == []


async def test_tasks_are_for_operators(office: Office) -> None:
    key = await create_api_key(office.rig.reader, "looks", ["viewer"])
    answer = await office.http.get(PATH, headers={"X-API-Key": key})
    assert answer.status_code == 403
