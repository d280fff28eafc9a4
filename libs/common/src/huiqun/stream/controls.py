"""What consumers and operators tell one another through the database: open breakers, and what is to be skipped."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from huiqun.store import Database, Index, OutsideTransaction, Reader
from huiqun.stream.breaker import PartitionBreaker, PartitionId
from huiqun.stream.skipping import SkipRule
from huiqun.work import Work

BREAKERS = "consumer_breakers"
SKIP_RULES = "consumer_skip_rules"
# A rule is of no use when the records that it names have run out of their retention of seven days.
CONTROL_INDEXES: Mapping[str, Sequence[Index]] = {
    BREAKERS: (),
    SKIP_RULES: (Index((("at", 1),), expires_after=timedelta(days=14)),),
}


async def list_breakers(reader: Reader) -> list[PartitionBreaker]:
    """The open breakers of all partitions, in their order."""
    cursor = reader.collection(BREAKERS).find().sort([("topic", 1), ("partition", 1)])
    return [
        PartitionBreaker(
            PartitionId(each["topic"], each["partition"]),
            each["since"],
            each["reason"],
            each["failed"],
            each["seen"],
            each["trial_at"],
            each["trials"],
        )
        async for each in cursor
    ]


async def save_breaker(database: Database, breaker: PartitionBreaker) -> None:
    """Keep an open breaker, for this process and for whoever has the partition after it."""
    document = {
        "topic": breaker.place.topic,
        "partition": breaker.place.partition,
        "since": breaker.since,
        "reason": breaker.reason,
        "failed": breaker.failed,
        "seen": breaker.seen,
        "trial_at": breaker.trial_at,
        "trials": breaker.trials,
    }
    await database[BREAKERS].replace_one({"_id": str(breaker.place)}, document, upsert=True)


async def postpone_trial(database: Database, place: PartitionId, trial_at: datetime) -> None:
    """Note that a trial failed, unless the breaker was closed meanwhile."""
    change = {"$set": {"trial_at": trial_at}, "$inc": {"trials": 1}}
    await database[BREAKERS].update_one({"_id": str(place)}, change)


async def remove_breakers(database: Work | OutsideTransaction, places: Sequence[PartitionId]) -> None:
    """Close the breakers of these partitions, where there are any."""
    await database.collection(BREAKERS).delete_many({"_id": {"$in": list(map(str, places))}})


async def list_skip_rules(database: Database) -> list[SkipRule]:
    """The skip rules of the last days, oldest first."""
    cursor = database[SKIP_RULES].find().sort("_id", 1).limit(1_000)
    return [
        SkipRule(
            each["_id"],
            each["actor"],
            each["at"],
            {row["partition"]: row["end"] for row in each["ranges"]},
            {row["partition"]: row["start"] for row in each["ranges"]},
            each["event_type"],
            each["key"],
        )
        async for each in cursor
    ]


async def add_skip_rule(work: Work, rule: SkipRule) -> None:
    """Have the consumers set aside what a rule covers."""
    document: dict[str, Any] = {
        "_id": rule.id,
        "actor": rule.actor,
        "at": rule.at,
        # Names of topics have dots, which the names of fields should not.
        "ranges": [
            {"partition": name, "start": rule.starts.get(name, 0), "end": end} for name, end in rule.ends.items()
        ],
        "event_type": rule.event_type,
        "key": rule.key,
    }
    await work.collection(SKIP_RULES).insert_one(document)
