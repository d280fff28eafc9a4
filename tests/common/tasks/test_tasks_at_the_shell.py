"""`huiqun tasks`: what waits and what has failed is listed, shown, tried again or called off."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.tasks import store
from huiqun.testing.broker import SERVICE
from huiqun.testing.clock import ManualClock
from huiqun.testing.rig import Rig
from huiqun.work import Progress, Recurrence, Task, Transactor
from local.stack import Stack
from tests.common.tasks.bench import NOW, SECOND, all_done, lease_all, schedule, tasks
from tests.shell import Shell

ON_SERVICE = ("--service", SERVICE)


@dataclass(frozen=True)
class Desk:
    """A shell, and the tasks of the service that it works on."""

    shell: Shell
    transactor: Transactor


@pytest_asyncio.fixture
async def desk(stack: Stack, database_name: str) -> AsyncIterator[Desk]:
    name = f"{database_name}_{SERVICE}"
    async with Rig.open(stack.mongo_url, name, AUDIT_INDEXES, clock=ManualClock(NOW)) as rig:
        yield Desk(Shell({**stack.environment, "HUIQUN_DATABASE_PREFIX": f"{database_name}_"}), rig.transactor)


async def fail(desk: Desk, task: Task) -> None:
    """Schedule a task and give it up."""
    await schedule(desk.transactor, task)
    (leased,) = await lease_all(desk.transactor, "runner")
    await desk.transactor.run(lambda work: store.fail_task(work, leased, "TimeoutError in call, sms.py"))
    await store.release_leases(desk.transactor.database, "runner")


async def test_the_list_shows_what_waits_what_runs_and_what_has_failed(desk: Desk) -> None:
    await fail(desk, Task("rules/g1", "note", NOW))
    await schedule(desk.transactor, Task("export/1", "note", NOW), Task("\x1b[31mlater", "other", NOW + SECOND))
    (running,) = await lease_all(desk.transactor, "runner")
    await store.report_progress(desk.transactor.database, running, "runner", Progress(3, 0))
    listed = await desk.shell.run_successfully("tasks", "list", *ON_SERVICE)
    for shown in ("rules/g1", "failed", "TimeoutError in call", "export/1", "running", "3 of ?", "later"):
        assert shown in listed
    assert "\x1b" not in listed
    failed = await desk.shell.run_successfully("tasks", "list", *ON_SERVICE, "--state", "failed")
    assert "rules/g1" in failed
    assert "export/1" not in failed
    few = await desk.shell.run_command("tasks", "list", *ON_SERVICE, "--limit", "1")
    assert "more than these 1" in few.stderr
    assert (await desk.shell.run_command("tasks", "list", *ON_SERVICE, "--state", "lost")).exit_code == 2


async def test_a_task_is_shown_with_all_there_is_to_know(desk: Desk) -> None:
    daily = Recurrence("FREQ=DAILY;BYHOUR=9", "Asia/Shanghai", NOW)
    await schedule(desk.transactor, replace(Task("sweep", "note", NOW, {"group_id": "g1"}), recurrence=daily))
    shown = await desk.shell.run_successfully("tasks", "show", "sweep", *ON_SERVICE)
    for part in ("sweep", "note", "waiting", "FREQ=DAILY", "Asia/Shanghai", "g1"):
        assert part in shown


async def test_a_failed_task_is_tried_again_and_another_called_off(desk: Desk) -> None:
    await fail(desk, Task("rules/g1", "note", NOW))
    await desk.shell.run_successfully("tasks", "retry", "rules/g1", *ON_SERVICE)
    (waiting,) = await tasks(desk.transactor)
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 0)
    await desk.shell.run_successfully("tasks", "cancel", "rules/g1", *ON_SERVICE)
    assert await all_done(desk.transactor)
    entries = await desk.transactor.database["audit_log"].find().sort("_id", 1).to_list(None)
    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("task.retried", "task/rules/g1"),
        ("task.cancelled", "task/rules/g1"),
    ]
    assert all(entry["actor"].startswith("shell:") for entry in entries)


async def test_what_cannot_be_is_answered_with_no(desk: Desk) -> None:
    await schedule(desk.transactor, Task("waiting", "note", NOW))
    for arguments, said in (
        (("show", "nothing"), "has no task nothing"),
        (("retry", "nothing"), "has no task nothing"),
        (("cancel", "nothing"), "has no task nothing"),
        (("retry", "waiting"), "has not failed"),
    ):
        result = await desk.shell.run_command("tasks", *arguments, *ON_SERVICE)
        assert (result.exit_code, said in result.stderr) == (1, True), result.output
