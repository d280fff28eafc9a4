"""Backtests over HTTP: asked for, run by whoever has time, reported, called off, taken over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from huiqun.tasks import store as tasks
from huiqun.tasks.runner import TaskRunner
from huiqun.testing.events import NOON
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Progress, Task
from moderation.backtest.model import OPEN_STATES, RUN_BACKTEST, backtest_task_key
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface, kind_of
from tests.moderation.policies.drafts import activate, policy_id, written

PERIOD = {"from": NOON.isoformat(), "to": (NOON + timedelta(days=1)).isoformat()}
DRAFT: dict[str, Any] = {"rules": {"length": {"max_characters": 5}}, "note": "shorter"}


@pytest.fixture
def runner(interface: Interface) -> TaskRunner:
    return interface.rig.task_runner()


@pytest_asyncio.fixture
async def group(interface: Interface) -> str:
    """A group in which three messages were judged."""
    name = group_id()
    await judge(interface, said(name, "短", "一句相当长的话在这里", "一起刷单"))
    return name


async def ask_for(interface: Interface, name: str, **changes: Any) -> dict[str, Any]:
    answer = await interface.ask("POST", f"/policies/{name}/versions/1/backtests", json={**PERIOD, **changes})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].endswith(answer.json()["id"])
    asked: dict[str, Any] = answer.json()
    return asked


async def read(interface: Interface, asked: dict[str, Any]) -> dict[str, Any]:
    path = f"/policies/{asked['policy_id']}/versions/{asked['version']}/backtests/{asked['id']}"
    found: dict[str, Any] = (await interface.ask("GET", path, "viewer")).json()
    return found


async def ended(interface: Interface, asked: dict[str, Any]) -> dict[str, Any]:
    async def is_over() -> bool:
        return (await read(interface, asked))["state"] not in OPEN_STATES

    await eventually(is_over)
    return await read(interface, asked)


async def test_a_backtest_is_run_and_its_report_stands_beside_the_version(
    interface: Interface, runner: TaskRunner, group: str
) -> None:
    name = await written(interface, DRAFT)
    asked = await ask_for(interface, name, groups=[group])
    assert (asked["state"], asked["total"]) == ("waiting", None)
    assert (await read(interface, asked))["report"] is None
    async with running_component(runner):
        found = await ended(interface, asked)
    assert (found["state"], found["progress"], found["total"], found["error"]) == ("done", 3, 3, None)
    report = found["report"]
    assert (report["messages"], report["added"], report["lost"], report["changed"]) == (3, 1, 0, 1)
    (row,) = [row for row in report["rules"] if row["rule"] == "length"]
    assert [sample["message_id"] for sample in row["added_samples"]] == [f"{group}-u1-1"]
    version = (await interface.ask("GET", f"/policies/{name}/versions/1", "viewer")).json()
    assert (version["backtest"]["id"], version["backtest"]["added"]) == (asked["id"], 1)
    seen = {"If-Match": "*"}
    answer = await interface.ask("POST", f"/policies/{name}/activation", "admin", json={"version": 1}, headers=seen)
    assert answer.json()["backtest"] == version["backtest"]
    listed = await interface.list_all(f"/policies/{name}/versions/1/backtests")
    assert [each["id"] for each in listed] == [asked["id"]]


async def test_a_backtest_that_is_called_off_is_not_run_and_one_that_has_ended_stays_so(
    interface: Interface, runner: TaskRunner, group: str
) -> None:
    name = await written(interface, DRAFT)
    first, second = [await ask_for(interface, name, groups=[group]) for _ in range(2)]
    path = f"/policies/{name}/versions/1/backtests"
    assert (await interface.ask("DELETE", f"{path}/{first['id']}")).json()["state"] == "cancelled"
    async with running_component(runner):
        assert (await ended(interface, second))["state"] == "done"
    assert (await read(interface, first))["report"] is None
    assert (await interface.ask("DELETE", f"{path}/{second['id']}")).json()["state"] == "done"


async def hold(interface: Interface, asked: dict[str, Any], until: datetime) -> Task:
    """Take the task of a backtest as a process would that holds it until then."""
    lease = tasks.Lease("somebody", datetime.now(UTC), until)
    leased = await tasks.lease_tasks(interface.rig.database, [RUN_BACKTEST], lease, 10)
    return next(each.task for each in leased if each.task.key == backtest_task_key(asked["id"]))


async def test_a_backtest_that_is_being_run_says_so_and_how_far_it_is(interface: Interface, group: str) -> None:
    name, database = await written(interface, DRAFT), interface.rig.database
    asked = await ask_for(interface, name, groups=[group])
    task = await hold(interface, asked, datetime.now(UTC) + timedelta(minutes=1))
    assert (await read(interface, asked))["state"] == "running"
    assert await tasks.report_progress(database, task, "somebody", Progress(1, 3))
    found = await read(interface, asked)
    assert (found["progress"], found["total"]) == (1, 3)
    await interface.ask("DELETE", f"/policies/{name}/versions/1/backtests/{asked['id']}")
    assert not await tasks.report_progress(database, task, "somebody", Progress(2, 3)), "who runs it learns of it"
    assert (await read(interface, asked))["state"] == "cancelled"


async def test_what_a_crash_leaves_behind_is_begun_anew_and_given_up_after_three_times(
    interface: Interface, runner: TaskRunner, group: str
) -> None:
    name, database = await written(interface, DRAFT), interface.rig.database
    asked, hopeless = [await ask_for(interface, name, groups=[group]) for _ in range(2)]
    await hold(interface, asked, datetime.now(UTC) - timedelta(minutes=5))
    key = backtest_task_key(hopeless["id"])
    await database[tasks.LEASES].update_one({"_id": key}, {"$set": {"deaths": 2}})
    async with running_component(runner):
        assert (await ended(interface, asked))["report"]["messages"] == 3
        given_up = await ended(interface, hopeless)
    assert (given_up["state"], given_up["report"]) == ("failed", None)
    assert "3 in a row" in given_up["error"]


async def test_a_backtest_needs_a_version_a_period_and_a_moderator(interface: Interface) -> None:
    name = await written(interface, DRAFT)
    path = f"/policies/{name}/versions/1/backtests"
    backwards = {"from": PERIOD["to"], "to": PERIOD["from"]}
    assert kind_of(await interface.ask("POST", path, json=backwards)) == (422, "unfit-backtest")
    assert kind_of(await interface.ask("POST", path, json={})) == (422, "invalid-request")
    assert kind_of(await interface.ask("POST", path, "operator", json=PERIOD)) == (403, "forbidden")
    nowhere = f"/policies/{policy_id()}/versions/1/backtests"
    assert kind_of(await interface.ask("POST", nowhere, json=PERIOD)) == (404, "not-found")
    assert kind_of(await interface.ask("GET", nowhere)) == (404, "not-found")
    asked = await ask_for(interface, name)
    await activate(interface, name)
    elsewhere = f"/policies/{name}/versions/2/backtests/{asked['id']}"
    assert kind_of(await interface.ask("GET", elsewhere)) == (404, "not-found")
    await interface.ask("DELETE", f"{path}/{asked['id']}")
