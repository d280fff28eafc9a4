"""Who may act: moderators everywhere, and whoever has been delegated the right for the groups in question."""

from collections.abc import Iterable

from huiqun.web import Principal
from huiqun.work import Work
from moderation.incidents.model.delegations import Right, covered
from moderation.incidents.store import delegations as store


class NotAuthorisedError(PermissionError):
    """It takes the role of a moderator, or a delegation for these groups that is still good."""


async def authorise(work: Work, who: Principal, right: Right, groups: Iterable[str]) -> list[str]:
    """Return the delegations that the right rests on, none for a moderator; raises NotAuthorisedError."""
    if who.may("moderator"):
        return []
    held = await store.live_of(work, who.id)
    if not covered(held, right, groups, work.now):
        raise NotAuthorisedError(right.value)
    return [delegation.id for delegation in held]
