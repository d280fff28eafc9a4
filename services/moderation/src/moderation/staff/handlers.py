"""Take a list of authorised staff, look people up on it, and say who is staff of a group."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.directory.store import read_directory
from huiqun.contracts.channel import Role
from huiqun.store import Reader
from huiqun.work import Work
from moderation.staff import store
from moderation.staff.model import Staff, StaffList


async def replace_staff_list(
    work: Work, staff: Sequence[Staff], check_revision: Callable[[int], None], actor: str
) -> StaffList:
    """Put a new list of authorised staff in force; `check_revision` raises if the caller has not seen the present."""
    before = await store.get_staff_list(work)
    check_revision(before.revision)
    made = StaffList(len(staff), before.revision + 1, actor, work.now)
    await store.replace_staff_list(work, staff, made)
    detail = {"size": made.size, "before": before.size, "revision": made.revision}
    await append_audit_entry(work, AuditEntry(actor, "staff.list.replaced", "staff", detail))
    return made


async def read_authorised_staff(reader: Reader, staff_ids: Iterable[str]) -> tuple[StaffList, Mapping[str, Staff]]:
    """Return the list as a whole, and those of the ids that stand on it, by id."""
    return await store.get_staff_list(reader), await store.list_staff_by_id(reader, staff_ids)


async def list_staff_members(work: Work, pairs: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """List those of (group id, member id) pairs who own the group, or are in it as staff or as a bot of the operator's.

    They may do there what other members may not.
    """
    directory = await read_directory(work, members=pairs)

    def is_staff(group_id: str, member_id: str) -> bool:
        member = directory.member(group_id, member_id)
        is_owner = directory.group(group_id).profile.owner == member_id
        return is_owner or (member.is_present and member.role in (Role.STAFF, Role.BOT))

    return frozenset(pair for pair in pairs if is_staff(*pair))
