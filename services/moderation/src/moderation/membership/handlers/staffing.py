"""Who is staff of a group, and so may do there what members may not."""

from collections.abc import Collection

from huiqun.channel.directory.store import read_directory
from huiqun.contracts.channel import Role
from huiqun.work import Work


async def find_staff_among(work: Work, pairs: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of (group id, member id) pairs who own the group, or are in it as staff or as a bot of the operator's."""
    directory = await read_directory(work, members=pairs)

    def is_staff(group_id: str, member_id: str) -> bool:
        member = directory.member(group_id, member_id)
        is_owner = directory.group(group_id).profile.owner == member_id
        return is_owner or (member.is_present and member.role in (Role.STAFF, Role.BOT))

    return frozenset(pair for pair in pairs if is_staff(*pair))
