"""Empties a database between tests."""

import asyncio
from collections.abc import Set

from huiqun.store import Database


async def delete_documents(database: Database, keep: Set[str]) -> None:
    """Delete what all collections hold, but for those to `keep`; their indexes stay."""
    written = await _find_written(database)
    await asyncio.gather(*(database[name].delete_many({}) for name in written - keep))


async def _find_written(database: Database) -> set[str]:
    """Find the collections that hold something, in one command: most tests write to few of many."""
    names = await database.list_collection_names()
    one_of_each = [
        {"$unionWith": {"coll": name, "pipeline": [{"$limit": 1}, {"$project": {"name": {"$literal": name}}}]}}
        for name in names
    ]
    found = await database.command(
        "aggregate", 1, pipeline=[{"$documents": []}, *one_of_each], cursor={"batchSize": len(names)}
    )
    return {each["name"] for each in found["cursor"]["firstBatch"]}
