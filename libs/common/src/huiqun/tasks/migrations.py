"""Migrations: documents of an older form are rewritten page by page, beside a release that still writes it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from huiqun.store import Database, Index, drop_index
from huiqun.tasks.model import Continue, Effect, Queue, TaskKind, TaskRun
from huiqun.work import Progress, Task, Work

MIGRATION_TASK: Final = "store.migrate"
MIGRATIONS: Final = "migrations"
MIGRATION_INDEXES: Mapping[str, Sequence[Index]] = {MIGRATIONS: ()}
_QUEUE: Final = Queue("migrations", 1)


async def _nothing(_: Work) -> int:
    """Nothing to rewrite."""
    return 0


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of form, known by its name for ever.

    `rewrite_page` rewrites some documents in the transaction and returns how many, 0 where none of the older form is
    left. `unused_indexes` are pairs of collection and index name; they go when the release before is gone.
    """

    name: str
    rewrite_page: Callable[[Work], Awaitable[int]] = _nothing
    unused_indexes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseOverlap:
    """How long the release before may go on writing the older form, and how often that is looked for meanwhile."""

    lasts: timedelta = timedelta(hours=1)
    look_every: timedelta = timedelta(seconds=10)


async def schedule_migrations(work: Work, migrations: Sequence[Migration]) -> None:
    """Have those of the migrations carried out that are not done; safe to repeat, at the start of every process."""
    done = {each["_id"] async for each in work.collection(MIGRATIONS).find({}, {"_id": 1})}
    for migration in migrations:
        if migration.name not in done:
            payload = {"name": migration.name, "looked_since": work.now}
            work.schedule(
                Task(f"migration/{migration.name}", MIGRATION_TASK, work.now, payload, progress=Progress(0, 0))
            )


def migration_task_kind(
    database: Database, migrations: Sequence[Migration], overlap: ReleaseOverlap = ReleaseOverlap()
) -> TaskKind:
    """How migrations are carried out: rewritten until nothing has been left for `overlap`; then indexes are dropped."""
    by_name = {migration.name: migration for migration in migrations}

    async def call(run: TaskRun) -> None:
        if run.task.payload.get("is_rewritten"):
            for collection, name in by_name[run.task.payload["name"]].unused_indexes:
                await drop_index(database, collection, name)

    async def record(work: Work, task: Task, _: None) -> Continue | None:
        if task.payload.get("is_rewritten"):
            await work.collection(MIGRATIONS).insert_one({"_id": task.payload["name"], "at": work.now})
            return None
        number = await by_name[task.payload["name"]].rewrite_page(work)
        progress = Progress((task.progress.done if task.progress else 0) + number, 0)
        if number:
            return Continue({**task.payload, "looked_since": work.now}, progress=progress)
        if work.now - task.payload["looked_since"] < overlap.lasts:
            return Continue(task.payload, due=work.now + overlap.look_every, progress=progress)
        return Continue({**task.payload, "is_rewritten": True}, progress=progress)

    return TaskKind(Effect(call, record), _QUEUE)
