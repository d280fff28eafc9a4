"""Carry over what a service knew of groups and members before there was a directory, as a task, page by page.

What the directory is told meanwhile is newer, and stays. A release before this one may still run beside and need what
it wrote, so that is left as it is. An hour later it is gone over once more, and taken out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryGroup, DirectoryMember
from huiqun.channel.directory.store import DIRECTORY
from huiqun.store import UpdateOne
from huiqun.tasks.model import Continue, Queue, TaskKind
from huiqun.work import Task, Work

CARRY_OVER: Final = "directory.carry_over"
_QUEUE = Queue("directory", 1)
# No group's id, and no member's.
_DONE: Final = {"_id": "/carried-over"}
_FIRST: Final = {"place": 0, "after": "", "last": False}
_PAGE: Final = 200
_BESIDE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FormerRecords:
    """Documents of a service that hold what is the directory's now.

    `query` finds those that still do; `read` gives what a document knows, `change` the update that takes it out.
    """

    collection: str
    query: Mapping[str, Any]
    read: Callable[[Mapping[str, Any]], tuple[list[DirectoryGroup], list[DirectoryMember]]]
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]]


class CarryOver:
    """The task that carries the records over."""

    def __init__(self, directory: Directory, records: Sequence[FormerRecords]) -> None:
        self._directory = directory
        self._records = records

    @property
    def kinds(self) -> Mapping[str, TaskKind]:
        """The kind of the task, for the table of the service."""
        return {CARRY_OVER: TaskKind(self.carry_over, _QUEUE)}

    async def schedule(self, work: Work) -> None:
        """Have the records carried over, unless that has been done; for the start of a process."""
        if await work.db[DIRECTORY].find_one(_DONE, session=work.session) is None:
            work.schedule(Task(CARRY_OVER, CARRY_OVER, work.now, _FIRST))

    async def carry_over(self, work: Work, task: Task) -> Continue | None:
        """Carry over a page of records."""
        place, after, is_last = (task.payload[name] for name in ("place", "after", "last"))
        if place == len(self._records):
            if not is_last:
                return Continue(_FIRST | {"last": True}, work.now + _BESIDE)
            done = {"$set": {"record": "note", "at": work.now}}
            await work.db[DIRECTORY].update_one(_DONE, done, upsert=True, session=work.session)
            return None
        former = self._records[place]
        found = await _page(work, former, after)
        if not found:
            return Continue(_FIRST | {"place": place + 1, "last": is_last})
        read = [former.read(document) for document in found]
        groups = [group for known, _ in read for group in known]
        await self._directory.merge(work, groups, [member for _, known in read for member in known])
        if is_last:
            operations = [UpdateOne({"_id": each["_id"]}, former.change(each)) for each in found]
            await work.db[former.collection].bulk_write(operations, ordered=False, session=work.session)
        return Continue({**task.payload, "after": found[-1]["_id"]})


async def _page(work: Work, former: FormerRecords, after: str) -> list[dict[str, Any]]:
    query = {"$and": [{"_id": {"$gt": after}}, former.query]}
    cursor = work.db[former.collection].find(query, session=work.session).sort("_id", 1).limit(_PAGE)
    return await cursor.to_list(None)
