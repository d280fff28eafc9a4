"""What a service knew of groups and members before there was a directory is carried over into it, page by page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryGroup, DirectoryMember
from huiqun.store import UpdateOne
from huiqun.tasks.migrations import Migration
from huiqun.work import Work

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class FormerRecords:
    """Documents of a service that hold what is the directory's now; what it is told meanwhile is newer, and stays.

    `query` finds those that still do; `read` gives what a document knows, `change` the update that takes it out.
    """

    name: str
    collection: str
    query: Mapping[str, Any]
    read: Callable[[Mapping[str, Any]], tuple[list[DirectoryGroup], list[DirectoryMember]]]
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    unused_indexes: tuple[str, ...] = ()

    def migration(self, directory: Directory) -> Migration:
        """Return the migration that carries them over."""

        async def carry_over_page(work: Work) -> int:
            cursor = work.collection(self.collection).find(self.query).limit(_PAGE)
            found = await cursor.to_list(None)
            if not found:
                return 0
            read = [self.read(document) for document in found]
            groups = [group for known, _ in read for group in known]
            await directory.merge_former_records(work, groups, [member for _, known in read for member in known])
            operations = [UpdateOne({"_id": each["_id"]}, self.change(each)) for each in found]
            await work.collection(self.collection).bulk_write(operations, ordered=False)
            return len(found)

        unused = tuple((self.collection, index) for index in self.unused_indexes)
        return Migration(self.name, carry_over_page, unused)
