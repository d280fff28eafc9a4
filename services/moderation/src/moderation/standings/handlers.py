"""Read members' standings and write back what has changed in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from huiqun.store import Reader
from huiqun.work import Work
from moderation.standings import store
from moderation.standings.model import Standing, standing_key


async def load_standings(work: Work, members: Iterable[tuple[str, str]]) -> dict[str, Standing]:
    """Read the standings of (group, member) pairs, by key; a new one for who has none."""
    wanted = {standing_key(*pair): pair for pair in members}
    found = await store.list_standings(work, wanted) if wanted else {}
    return {key: found[key] if key in found else Standing(*pair) for key, pair in wanted.items()}


async def load_standing(work: Work, group_id: str, member_id: str) -> Standing:
    """Read a member's standing in a group; a new one for who has none."""
    return await find_standing(work, group_id, member_id) or Standing(group_id, member_id)


async def find_standing(reader: Reader, group_id: str, member_id: str) -> Standing | None:
    """Find a member's standing in a group; None where they have never written."""
    return await store.find_standing(reader, group_id, member_id)


async def save_standings(work: Work, standings: Iterable[Standing]) -> None:
    """Write back what has changed in the standings, all in one write."""
    await store.save_standings(work, standings)


async def list_acquaintances(
    reader: Reader, groups: Sequence[str] | None, *, before: datetime
) -> dict[str, tuple[datetime, int]]:
    """List, by key, who wrote before in these groups or in all: since when, and how much of substance by now."""
    return await store.list_acquaintances(reader, groups, before=before)
