"""The end of a mute waits for nothing but its time, however much else there is to do."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind
from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.links import SignedLinks
from huiqun.tasks.runner import TaskRunner
from huiqun.work import Task, Work
from huiqun.work.task import TASKS
from moderation.app import task_kinds
from moderation.archive.handlers import settling
from moderation.membership.handlers import planning
from tests.due import NotingTransactor
from tests.moderation.bench import Bench
from tests.spine import eventually, running

FLOOD = 2_000


async def test_a_mute_ends_while_thousands_of_patrols_still_wait_their_turn(bench: Bench) -> None:
    await bench.say("一起刷单")
    await bench.pass_time(minutes=2)
    await bench.say("还来刷单")
    await bench.pass_time(minutes=9, seconds=59)
    assert bench.actions(ActionKind.UNMUTE_MEMBER) == []

    async def flood(work: Work) -> None:
        for number in range(FLOOD):
            group = {"group_id": f"{bench.group}/{number}"}
            work.schedule(Task(f"patrol/{number}", planning.GO_ROUND, work.now, group))
            work.schedule(Task(f"settle/{number}", settling.SETTLE, work.now, group))

    await bench.commit(flood)
    bench.clock.moment += timedelta(seconds=1)
    kinds = task_kinds(
        SignedLinks(RotatingKey(b"a key for tests"), None), bench.database, lambda: bench.rulebook, bench.directory
    )
    async with running(TaskRunner(NotingTransactor(bench.transactor, bench.commit), kinds)):
        await eventually(lambda: bool(bench.actions(ActionKind.UNMUTE_MEMBER)))
        left = await bench.database[TASKS].count_documents({"kind": {"$in": [planning.GO_ROUND, settling.SETTLE]}})
    assert left > FLOOD, "the end of the mute has come before most of what was due earlier"
    assert len(bench.lifted) == 1
