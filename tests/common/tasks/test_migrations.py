"""Documents of an older form are rewritten while a release that writes it runs beside this one."""

import asyncio
from datetime import timedelta

from huiqun.store import ensure_indexes
from huiqun.store.indexes import Index
from huiqun.tasks.migrations import (
    MIGRATION_INDEXES,
    MIGRATION_TASK,
    MIGRATIONS,
    Migration,
    ReleaseOverlap,
    migration_task_kind,
    schedule_migrations,
)
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Task, Transactor, Work
from tests.common.tasks.bench import QUICK, SECOND, all_done, clock_of, runner, tasks

NOTES = "notes"
OLD = Index((("text", 1),))
OVERLAP = ReleaseOverlap(lasts=60 * SECOND, look_every=10 * SECOND)


async def rename_texts(work: Work) -> int:
    """The body of a note was called text."""
    old = {"text": {"$exists": True}}
    found = await work.collection(NOTES).find(old, {"_id": 1}).limit(20).to_list(None)
    keys = [each["_id"] for each in found]
    await work.collection(NOTES).update_many({"_id": {"$in": keys}}, {"$rename": {"text": "body"}})
    return len(keys)


RENAME = Migration("1-rename-texts", rename_texts, ((NOTES, "text_1"), (NOTES, "never_there_1")))


async def plan(transactor: Transactor) -> None:
    await transactor.run(lambda work: schedule_migrations(work, [RENAME]))


async def write_older_form(transactor: Transactor, number: int) -> None:
    """What the release before does: it makes a note, and changes the one before if that still has the older form."""

    async def write(work: Work) -> None:
        note = {"_id": number, "text": "new", "written": 1}
        await work.collection(NOTES).insert_one(note)
        before = {"_id": number - 1, "text": {"$exists": True}}
        await work.collection(NOTES).update_one(before, {"$inc": {"written": 1}})

    await transactor.run(write)


async def of_older_form(transactor: Transactor) -> int:
    return int(await transactor.database[NOTES].count_documents({"text": {"$exists": True}}))


async def nothing_is_older(transactor: Transactor) -> bool:
    return await of_older_form(transactor) == 0


async def test_what_an_older_release_writes_meanwhile_is_rewritten_as_well(transactor: Transactor) -> None:
    await ensure_indexes(transactor.database, {**MIGRATION_INDEXES, NOTES: (OLD,)})
    for number in range(100):
        await write_older_form(transactor, number)
    clock = clock_of(transactor)
    await plan(transactor)
    kind = migration_task_kind(transactor.database, [RENAME], OVERLAP)
    async with running_component(runner(transactor, QUICK, **{MIGRATION_TASK: kind})):
        await asyncio.gather(*(write_older_form(transactor, number) for number in range(100, 200)))
        await eventually(lambda: looks_again(transactor))
        await write_older_form(transactor, 200)
        clock.moment += OVERLAP.look_every
        await eventually(lambda: nothing_is_older(transactor))
        assert "text_1" in await transactor.database[NOTES].index_information(), "the older release still needs it"
        while not await all_done(transactor):  # look after look, until the overlap is over
            clock.moment += timedelta(seconds=20)
            await eventually(lambda moment=clock.moment: is_past(transactor, moment))  # type: ignore[misc]
    assert await transactor.database[NOTES].count_documents({"body": {"$exists": True}}) == 201
    assert "text_1" not in await transactor.database[NOTES].index_information()
    await plan(transactor)
    assert await all_done(transactor), "what is done is not planned again"


async def looks_again(transactor: Transactor) -> bool:
    """Whether a look has found nothing, and the next one is set."""
    return await nothing_is_older(transactor) and await is_past(transactor, clock_of(transactor).moment)


async def is_past(transactor: Transactor, moment: object) -> bool:
    return all(task["due"] > moment for task in await tasks(transactor))


async def test_a_migration_goes_on_where_a_process_has_left_it(transactor: Transactor) -> None:
    await ensure_indexes(transactor.database, {**MIGRATION_INDEXES, NOTES: (OLD,)})
    await transactor.database[NOTES].insert_many([{"_id": number, "text": "old"} for number in range(100)])
    kinds = {MIGRATION_TASK: migration_task_kind(transactor.database, [RENAME], OVERLAP)}
    await plan(transactor)
    assert await runner(transactor, QUICK, **kinds).run_next()
    assert await of_older_form(transactor) == 80
    await plan(transactor)  # as each process does when it starts
    other = runner(transactor, QUICK, **kinds)
    while await other.run_next():
        pass
    assert await nothing_is_older(transactor)
    assert await transactor.database[MIGRATIONS].count_documents({}) == 0


async def test_what_another_release_has_to_migrate_is_a_failed_task(transactor: Transactor) -> None:
    await ensure_indexes(transactor.database, MIGRATION_INDEXES)
    payload = {"name": "9-of-later", "looked_since": clock_of(transactor).moment}

    async def schedule(work: Work) -> None:
        work.schedule(Task("migration/9-of-later", MIGRATION_TASK, work.now, payload))

    await transactor.run(schedule)
    assert await runner(
        transactor, QUICK, **{MIGRATION_TASK: migration_task_kind(transactor.database, [RENAME], OVERLAP)}
    ).run_next()
    (failed,) = await tasks(transactor)
    assert failed["error"].startswith("KeyError")
