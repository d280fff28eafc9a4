"""The directory without anybody behind it, groups told of without what follows, and former records carried over."""

from collections.abc import Sequence

from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.migration import FormerRecords
from huiqun.contracts.channel import Group, GroupUpdated
from huiqun.privacy.encryption import FieldEncryption, MasterKeys
from huiqun.privacy.suppression import SuppressionList
from huiqun.store import connect
from huiqun.work import Transactor, Work
from moderation.policies import store as policy_store


def detached_directory() -> Directory:
    """A directory that nobody asks for anything, for whoever only looks at what is wired to it."""
    encryption = FieldEncryption(connect("mongodb://nowhere"), "none", MasterKeys("a key of these tests"))
    return Directory(encryption, SuppressionList(b"a key of these tests"))


async def save_groups(work: Work, directory: Directory, groups: Sequence[Group]) -> None:
    """Have the channel tell of groups, without what else follows from it."""
    await directory.record_events(work, [GroupUpdated.create(group.group_id, group, time=work.now) for group in groups])
    await policy_store.note_groups(work, [group.group_id for group in groups])


async def carry_over(transactor: Transactor, directory: Directory, records: Sequence[FormerRecords]) -> None:
    """Carry over what stood in the store before there was a directory, until nothing of it is left."""
    for former in records:
        while await transactor.run(former.migration(directory).rewrite_page):
            pass
