"""Who did what can be looked up afterwards."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from demo.people.morning import Morning
from huiqun.audit import AUDIT_INDEXES
from huiqun.audit.log import AUDIT_LOG
from local.system import DATABASE_PREFIX

_FORGED: Final = "forged_"
_ENTRY: Final = 3

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
    morning.log_deed(morning.fang, "verifies the audit log", f"{found['entries']} entries, unbroken")
    yield await _miss_a_forgery(morning)
    morning.log_deed("某人", "forges one in a copy", "`huiqun audit verify` finds it")


async def _miss_a_forgery(morning: Morning) -> str:
    """Forge an entry in a copy of the log and run the command over it; what speaks against its finding that."""
    source, copy = (morning.system.client[f"{prefix}moderation"] for prefix in (DATABASE_PREFIX, _FORGED))
    for name in AUDIT_INDEXES:
        await copy[name].insert_many([document async for document in source[name].find()])
    await copy[AUDIT_LOG].update_one({"_id": _ENTRY}, {"$set": {"actor": "nobody"}})
    try:
        command = await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "huiqun",
            *("audit", "verify", "--service", "moderation"),
            env={**os.environ, **morning.system.environment, "HUIQUN_DATABASE_PREFIX": _FORGED},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await command.communicate()
    finally:
        await morning.system.client.drop_database(copy.name)
    return "" if command.returncode and b"tampered" in output else f"a forged entry: {output.decode()}"
