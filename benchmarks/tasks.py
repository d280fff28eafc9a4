"""How late mutes end beside very many patrols that are due at the same time."""

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.figures import BenchmarkError, Figure, Result, at_most
from benchmarks.workspace import BenchmarkWorkspace, open_workspace
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.versions.model import ActivateVersionCommand
from huiqun.work import Task
from huiqun.work.scheduling import write_tasks
from huiqun.work.task import TASKS
from local.stack import Stack
from moderation.policies.handlers import activate_policy_version, write_policy_version
from moderation.policies.model import DEFAULT_POLICY
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.patrol import PatrolRule
from moderation.policies.sections.rules import Rules
from moderation.sanctions.handlers import MUTE_ENDS
from moderation.schedules.model import PATROL_GROUP

MEASUREMENT = "Tasks"
MUTES = 30
METHOD = (
    "{patrols} patrols, each of a group of its own, are due when one process of moderation starts with the role tasks. "
    "{mutes} mutes end one after the other while it works on them: from when each is due to when its end, with the "
    "action that gives the member a voice again, is committed. Patrols are counted over the same time."
)
_CHUNK: Final = 5_000
_APART: Final = timedelta(seconds=0.5)
_LOOK_SECONDS: Final = 0.01
_LONGEST_SECONDS: Final = 120
_PATROLS: Final = Rules(membership=MembershipRules(patrol=PatrolRule(schedule="0 9 * * *")))


async def measure(stack: Stack, patrols: int, say: Callable[[str], None]) -> Result:
    """The delay of mutes' ends, and how many patrols go on beside them."""
    async with open_workspace(stack) as laid:
        await laid.prepare_documents()
        await _have_patrols(laid)
        await _schedule(laid, [_patrol(number) for number in range(patrols)])
        say(f"{patrols:,} patrols are due")
        async with laid.running_child("moderation", ["moderation", "--roles", "tasks"]):
            await _until_begun(laid, patrols)
            first = truncate_to_milliseconds(datetime.now(UTC)) + timedelta(seconds=2)
            ends = {f"mute-{number}": first + number * _APART for number in range(MUTES)}
            await _schedule(laid, [_mute(key, due) for key, due in ends.items()])
            before, started = await _waiting(laid), time.perf_counter()
            delays = sorted(await _delays(laid, ends))
            gone, seconds = before - await _waiting(laid), time.perf_counter() - started
    figures = [
        Figure(f"the end of a mute beside {patrols:,} patrols, p50", statistics.median(delays), "s"),
        Figure("... the latest", delays[-1], "s", at_most(2)),
        Figure("patrols beside them", gone / seconds, "patrols/s"),
    ]
    return Result(MEASUREMENT, figures, METHOD.format(patrols=f"{patrols:,}", mutes=MUTES))


async def _have_patrols(laid: BenchmarkWorkspace) -> None:
    wish = ActivateVersionCommand(1, "bench", four_eyes=False)
    await laid.transact(lambda work: write_policy_version(work, DEFAULT_POLICY, _PATROLS, "", "bench"))
    await laid.transact(lambda work: activate_policy_version(work, DEFAULT_POLICY, wish, lambda _: None))


async def _schedule(laid: BenchmarkWorkspace, tasks: list[Task]) -> None:
    for start in range(0, len(tasks), _CHUNK):
        chunk = tasks[start : start + _CHUNK]
        await laid.transact(lambda work, chunk=chunk: write_tasks(work, chunk, ()))  # type: ignore[misc]


def _patrol(number: int) -> Task:
    due = datetime.now(UTC) - timedelta(seconds=1)
    return Task(f"patrol/quiet-{number}", PATROL_GROUP, due, {"group_id": f"quiet-{number}"})


def _mute(key: str, due: datetime) -> Task:
    return Task(key, MUTE_ENDS, due, {"group_id": "g1", "member_id": key, "sanction_id": key})


async def _waiting(laid: BenchmarkWorkspace) -> int:
    return int(await laid.database[TASKS].count_documents({"kind": PATROL_GROUP, "due": {"$lte": datetime.now(UTC)}}))


async def _until_begun(laid: BenchmarkWorkspace, patrols: int) -> None:
    deadline = time.perf_counter() + _LONGEST_SECONDS
    while await _waiting(laid) == patrols:
        laid.check_children()
        if time.perf_counter() > deadline:
            raise BenchmarkError(f"no patrol within {_LONGEST_SECONDS} s")
        await asyncio.sleep(_LOOK_SECONDS)


async def _delays(laid: BenchmarkWorkspace, ends: dict[str, datetime]) -> list[float]:
    """How many seconds after its time each mute's end was committed."""
    delays: dict[str, float] = {}
    deadline = time.perf_counter() + _LONGEST_SECONDS
    while len(delays) < len(ends):
        laid.check_children()
        if time.perf_counter() > deadline:
            raise BenchmarkError(f"{len(ends) - len(delays)} mutes did not end within {_LONGEST_SECONDS} s")
        left = {task["_id"] async for task in laid.database[TASKS].find({"kind": MUTE_ENDS}, {"_id": 1})}
        now = datetime.now(UTC)
        delays |= {key: (now - due).total_seconds() for key, due in ends.items() if key not in {*left, *delays}}
        await asyncio.sleep(_LOOK_SECONDS)
    return list(delays.values())
