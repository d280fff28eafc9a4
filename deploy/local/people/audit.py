"""Who did what can be looked up afterwards."""

from collections.abc import AsyncIterator
from typing import Final

from local.people.morning import Morning

_MEI: Final = {"policy.version.written", "lexicon.list.imported", "staff.list.replaced", "roster.checked"}
_FANG: Final = {"policy.activated", "exception.granted", "delegation.granted"}


async def read_log(morning: Morning) -> AsyncIterator[str]:
    """Each change stands there with who made it."""
    for who, wanted in ((morning.mei, _MEI), (morning.fang, _FANG)):
        entries = (await morning.fang.read("/audit", actor=who.id, limit=100))["items"]
        yield ", ".join(f"no {action} by {who.name}" for action in wanted - {entry["action"] for entry in entries})
    found = await morning.fang.read("/audit/verification")
    if not found["intact"]:
        yield f"{len(found['findings'])} entries are not as they were written"
    morning.note(morning.fang, "verifies the audit log", f"{found['entries']} entries, unbroken")
