"""The end of a mute waits for nothing but its time, however much else there is to do."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Task, Work
from huiqun.work.task import TASKS
from moderation.archive.handlers import settling
from moderation.membership.handlers import planning
from tests.moderation.rig import ModerationRig

FLOOD = 2_000


async def test_a_mute_ends_while_thousands_of_patrols_still_wait_their_turn(rig: ModerationRig) -> None:
    await rig.say_all("一起刷单")
    await rig.run_due(timedelta(minutes=2))
    await rig.say_all("还来刷单")
    await rig.run_due(timedelta(minutes=9, seconds=59))
    assert rig.actions(ActionKind.UNMUTE_MEMBER) == []

    async def flood(work: Work) -> None:
        for number in range(FLOOD):
            group = {"group_id": f"{rig.group}/{number}"}
            work.schedule(Task(f"patrol/{number}", planning.GO_ROUND, work.now, group))
            work.schedule(Task(f"settle/{number}", settling.SETTLE, work.now, group))

    await rig.run(flood)
    rig.clock.moment += timedelta(seconds=1)
    async with running_component(rig.task_runner()):
        await eventually(lambda: bool(rig.actions(ActionKind.UNMUTE_MEMBER)))
        left = await rig.database[TASKS].count_documents({"kind": {"$in": [planning.GO_ROUND, settling.SETTLE]}})
    assert left > FLOOD, "the end of the mute has come before most of what was due earlier"
    assert len(rig.lifted) == 1
