"""Every event twice and the groups in another order among each other: moderation comes to the same state.

What keeps an order is a group's events on one topic, as they share a partition; a second delivery comes at any time
after the first. Nothing else is promised, so nothing else is kept here.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import MessageRecalled, Recall
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MemberSanctioned
from huiqun.contracts.topics import CHANNEL_MESSAGES, MODERATION_DECISIONS
from huiqun.store import Database
from huiqun.testing.events import NOON, message_edited, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from local.stack import Stack
from tests.faults.invariants import TEXTS
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of

GROUPS = 12


def days_events(chance: random.Random) -> dict[str, list[Event]]:
    """Each group's messages, edits and recalls, in their order."""
    days: dict[str, list[Event]] = defaultdict(list)
    for number in range(600):
        group, member = f"g{number % GROUPS}", f"u{chance.randrange(6)}"
        original = message_received(number, group, member, chance.choice(TEXTS), NOON)
        days[group].append(original)
        if chance.random() < 0.15:
            days[group].append(message_edited(original, chance.choice(TEXTS)))
        if chance.random() < 0.1:
            withdrawn = Recall(message_id=original.data.message_id, group_id=group, recalled_by=member)
            days[group].append(MessageRecalled.create(group, withdrawn, time=NOON))
    return days


def interleaved(days: dict[str, list[Event]], chance: random.Random) -> list[Event]:
    """All events, the groups mixed at random, each group in its order."""
    turns = [group for group, events in days.items() for _ in events]
    chance.shuffle(turns)
    waiting = {group: iter(events) for group, events in days.items()}
    return [next(waiting[group]) for group in turns]


def doubled(events: Sequence[Event], chance: random.Random) -> list[Event]:
    """Each event a second time, at once or any time later."""
    told: list[tuple[float, Event]] = []
    for place, event in enumerate(events):
        later = place if chance.random() < 0.5 else chance.uniform(place, len(events))
        told += [(place, event), (later + 0.5, event)]
    return [event for _, event in sorted(told, key=lambda item: item[0])]


async def test_duplicates_and_another_order_of_groups_lead_to_the_same_state(
    stack: Stack, topic_prefix: str, database_name: str, tmp_path: Path
) -> None:
    chance = random.Random(11)
    days = days_events(chance)
    plain = interleaved(days, chance)
    stories = []
    for name, told in (("plain", plain), ("shuffled", doubled(interleaved(days, chance), chance))):
        options = kafka_options_of(stack, f"{topic_prefix}{name}.")
        environment = environment_of(stack, options.prefix, f"{database_name}_{name}")
        async with Rig.open(stack.mongo_url, f"{database_name}_{name}", HANDLED_INDEXES, kafka=options) as rig:
            state = rig.client[f"{database_name}_{name}_moderation"]
            await rig.broker.send(*told)
            async with ServiceProcess("moderation", tmp_path, environment) as moderation:
                await eventually(lambda state=state: is_settled(state, plain), 60)  # type: ignore[misc]
                await eventually(lambda rig=rig: rig.broker.has_read_all(CHANNEL_MESSAGES))  # type: ignore[misc]
                assert await moderation.stop() == 0
            stories.append(await story(rig, state))
            for database in (state.name, rig.database.name):
                await rig.client.drop_database(database)
    assert stories[0] == stories[1]
    assert stories[0]["sanctions"]


async def is_settled(state: Database, events: Sequence[Event]) -> bool:
    """All is judged and noted, and what follows from it published."""
    revisions = sum(1 for event in events if not isinstance(event, MessageRecalled))
    recalls = len(events) - revisions
    judged = await state["messages"].count_documents({})
    recalled = await state["messages"].count_documents({"recalled_by": {"$exists": True}})
    return judged == revisions and recalled == recalls and not await state["outbox"].count_documents({})


async def story(rig: Rig, state: Database) -> dict[str, Any]:
    """The final state without what differs between any two runs: ids that were made up and times of processing."""
    messages = {
        document["_id"]: (document["verdict"], document.get("reasons"), document["text"], document.get("recalled_by"))
        async for document in state["messages"].find()
    }
    standings = {
        document["_id"]: (document["day"], document["counted"], document["recent"], _strikes(document))
        async for document in state["standings"].find()
    }
    actions = [
        (action["group_id"], action["kind"], str(action["target"]), action["reason"], action.get("duration_seconds"))
        async for action in state["actions"].find()
    ]
    published = [
        decode_event(MODERATION_DECISIONS, record.value) for record in await rig.broker.records(MODERATION_DECISIONS)
    ]
    sanctions = {
        event.id: event.data.model_dump(include={"group_id", "member_id", "message_id", "kind", "rung", "category"})
        for event in published
        if isinstance(event, MemberSanctioned)
    }
    return {
        "messages": messages,
        "standings": standings,
        "actions": Counter(actions),
        "sanctions": sorted(map(str, sanctions.values())),
    }


def _strikes(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (strike["message_id"], strike["category"], strike["weight"], strike["rung"])
        for strike in document.get("strikes", ())
    ]
