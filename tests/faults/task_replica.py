"""`python -m tests.faults.task_replica URL DATABASE LEASE`: a replica that runs the tasks of a test until SIGTERM."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.runtime.waiting import wait_for_stop
from huiqun.service.components import run_components
from huiqun.store import OutsideTransaction, Presence, connect
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskOptions, TaskRunner
from huiqun.work import Relay, Task, Transactor, Work


async def note(work: Work, task: Task) -> None:
    """Have an effect that is seen if it comes twice."""
    change = {"$inc": {"times": 1}, "$set": {"by": os.getpid()}}
    await work.collection("effects").update_one({"_id": task.key}, change, upsert=True)


def noting_slowly(outside: OutsideTransaction) -> Callable[[Work, Task], Awaitable[None]]:
    """Begin, say so outside the transaction, where everybody can see it, and go on when the test says so."""

    async def note_slowly(work: Work, task: Task) -> None:
        await outside.collection("begun").insert_one({"key": task.key, "by": os.getpid()})
        while await outside.collection("gates").find_one({"_id": task.key}) is None:
            await work.collection("effects").find_one({"_id": task.key})
            await wait_for_stop(asyncio.Event(), 0.05)
        await note(work, task)

    return note_slowly


async def main(url: str, database_name: str, lease: timedelta) -> None:
    """Run tasks, and what ends the transactions of replicas that were killed: those whose heartbeat has stopped."""
    client = connect(url, app_name=f"tasks-{database_name}")
    transactor = Transactor(client, client[database_name], Publisher(KafkaOptions("nowhere")), SystemClock())
    kinds = {"quick": TaskKind(note), "slow": TaskKind(noting_slowly(OutsideTransaction(client[database_name])))}
    presence = Presence(url, client[database_name])
    await presence.begin()
    try:
        await run_components(
            [TaskRunner(transactor, kinds, TaskOptions(lease=lease)), Relay(transactor)], asyncio.Event()
        )
    finally:
        await presence.end()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], timedelta(seconds=float(sys.argv[3]))))
