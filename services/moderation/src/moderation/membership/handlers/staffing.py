"""Who is staff of a group, and so may do there what members may not."""

from collections.abc import Collection

from huiqun.contracts.channel import Role
from huiqun.work import Work
from moderation.membership.model.roster import key_of
from moderation.membership.store import members
from moderation.policies import store as policies


async def find_staff_among(work: Work, pairs: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of (group id, member id) pairs who own the group, or are in it as staff or as a bot of the operator's."""
    if not pairs:
        return frozenset()
    groups = await policies.groups_of(work, {group_id for group_id, _ in pairs})
    owners = {(group_id, settings.owner) for group_id, settings in groups.items()}
    known = await members.load(work, pairs)
    present = {pair for pair in pairs if (member := known.get(key_of(*pair))) is not None and member.is_present}
    return frozenset(
        pair for pair in pairs if pair in owners or (pair in present and known[key_of(*pair)].role is not Role.CUSTOMER)
    )
