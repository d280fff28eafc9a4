"""A process with nothing to do asks little: one question for all its queues."""

from dataclasses import dataclass, field
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from huiqun.tasks.model import Queue, TaskKind
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Task, Transactor
from huiqun.work.task import TASKS
from tests.common.tasks.bench import NOW, QUICK, all_done, note, runner, schedule


@dataclass
class Ear(CommandListener):
    """Hears of which kinds tasks are asked for."""

    asked: list[set[str]] = field(default_factory=list)

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find" and event.command["find"] == TASKS:
            self.asked.append(set(event.command["filter"]["kind"]["$in"]))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Hear the question only."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Hear the question only."""


async def test_idle_queues_are_asked_for_together(transactor: Transactor, mongo_url: str) -> None:
    ear = Ear()
    listening = AsyncMongoClient[dict[str, Any]](mongo_url, tz_aware=True, event_listeners=[ear])
    kinds = {f"kind-{number}": TaskKind(note, Queue(f"queue-{number}")) for number in range(8)}
    own = Transactor(listening, listening[transactor.database.name], transactor.publisher, transactor.clock)
    await schedule(transactor, *(Task(f"t{number}", f"kind-{number}", NOW) for number in range(8)))
    async with running_component(runner(own, QUICK, **kinds)):
        await eventually(lambda: all_done(transactor))
        await eventually(lambda: ear.asked[-5:] == [{"note", *kinds}] * 5)  # one that has just been busy asks once more
    await listening.close()
