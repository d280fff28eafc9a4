"""The broker freezes, or dies and comes back: the API answers throughout, and nobody restarts anything."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from huiqun.contracts.channel import Member, MemberJoined
from huiqun.store import Database, OutsideTransaction
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from huiqun.web import create_api_key
from local.stack import Stack
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of

STUCK_SECONDS = 5
MEMBERS = 100
READ = "/api/v1/groups/g1/eligibility/u1"


def joined(number: int, group: str = "g1") -> MemberJoined:
    return MemberJoined.create(group, Member(group_id=group, member_id=f"u{number}"), time=datetime.now(UTC))


async def has_heard_of(state: Database, group: str, count: int) -> bool:
    return await state["eligibility"].count_documents({"group_id": group}) >= count


async def status(service: ServiceProcess, path: str, key: str = "") -> int | None:
    answer = await service.get(path, key)
    return answer.status_code if answer is not None else None


async def answers_though_not_ready(service: ServiceProcess, key: str) -> None:
    """The process is alive and serves what it has, for twice as long as a loop may be silent, and is not ready then."""
    deadline = time.monotonic() + 2 * STUCK_SECONDS
    while time.monotonic() < deadline:
        assert (await status(service, "/healthz"), await status(service, READ, key)) == (200, 200)
        await asyncio.sleep(0.2)
    assert not await service.is_ready()
    assert service.running


async def test_the_api_answers_while_the_broker_is_away_and_events_are_heard_afterwards(
    own_stack: Stack, tmp_path: Path
) -> None:
    broker = own_stack.broker
    environment = {**environment_of(own_stack, "away.", "away"), "HUIQUN_STUCK_SECONDS": str(STUCK_SECONDS)}
    async with Rig.open(
        own_stack.mongo_url, "away", HANDLED_INDEXES, kafka=kafka_options_of(own_stack, "away.")
    ) as rig:
        state = rig.client["away_survey"]
        service = ServiceProcess("survey", tmp_path, environment, roles="streams,tasks,api")
        async with service:
            await eventually(service.is_ready, 60)
            key = await create_api_key(OutsideTransaction(state), "test", ["operator"])
            await rig.broker.send(joined(1))
            await eventually(lambda: has_heard_of(state, "g1", 1))
            os.kill(broker.process.pid, signal.SIGSTOP)
            await answers_though_not_ready(service, key)
            os.kill(broker.process.pid, signal.SIGCONT)
            await eventually(service.is_ready, 60)
            if broker.durable:
                await broker.kill()
                await answers_though_not_ready(service, key)
                await broker.start()
                await eventually(service.is_ready, 60)
            await rig.broker.send(*(joined(number, "g2") for number in range(MEMBERS)))
            await eventually(lambda: has_heard_of(state, "g2", MEMBERS), 60)
            assert await status(service, "/healthz") == 200
            assert "Traceback" not in service.log
            assert service.log.count("Unable connect") < MEMBERS / 10
            assert await service.stop() == 0
