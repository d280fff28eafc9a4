"""`python -m tests.faults.timer_replica URL DATABASE LEASE`: a replica that runs the timers of a test until SIGTERM."""

import asyncio
import os
import sys
from datetime import timedelta

from huiqun.runtime.clock import SystemClock
from huiqun.runtime.parts import run_parts
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import Presence, connect
from huiqun.stream import KafkaOptions, Publisher, Relay, Transactor, Work
from huiqun.timers import Timer
from huiqun.timers.runner import TimerRunner


async def note(timer: Timer, work: Work) -> None:
    """Have an effect that is seen if it comes twice."""
    change = {"$inc": {"times": 1}, "$set": {"by": os.getpid()}}
    await work.db["effects"].update_one({"_id": timer.key}, change, upsert=True, session=work.session)


async def note_slowly(timer: Timer, work: Work) -> None:
    """Begin, say so where everybody can see it, and go on when the test says so."""
    await work.db["begun"].insert_one({"key": timer.key, "by": os.getpid()})
    while await work.db["gates"].find_one({"_id": timer.key}) is None:
        await work.db["effects"].find_one({"_id": timer.key}, session=work.session)
        await wait_for_stop(asyncio.Event(), 0.05)
    await note(timer, work)


async def main(url: str, database_name: str, lease: timedelta) -> None:
    """Run timers, and what ends the transactions of replicas that were killed: those whose heartbeat has stopped."""
    client = connect(url, app_name=f"timers-{database_name}")
    transactor = Transactor(client, client[database_name], Publisher(KafkaOptions("nowhere")), SystemClock())
    handlers = {"quick": note, "slow": note_slowly}
    presence = Presence(url, client[database_name])
    await presence.begin()
    try:
        await run_parts([TimerRunner(transactor, handlers, lease), Relay(transactor)], asyncio.Event())
    finally:
        await presence.end()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], timedelta(seconds=float(sys.argv[3]))))
