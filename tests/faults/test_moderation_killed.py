"""The moderation process dies at random moments, and no message is lost, judged twice or counted twice."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable

from huiqun.contracts.catalog import decode
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_ACTIONS, MODERATION_DECISIONS, Topic
from huiqun.store import Database
from moderation.standing.model import key_of
from tests.channel import NOON, message
from tests.processes import ServiceProcess
from tests.spine import Spine, eventually

MESSAGES = 20_000
KILLS = 4
SEED = 20261122
TEXTS = ("早上好", "请问网点几点开门？", "谢谢您", "收到", "加微信 abc12345 领红包", "身份证 11010519491231002X")


async def test_a_process_killed_again_and_again_judges_every_message_once(
    spine: Spine, state: Database, moderation: ServiceProcess
) -> None:
    chance = random.Random(SEED)
    sent = [
        message(number, f"g{number % 40}", f"u{chance.randrange(200)}", chance.choice(TEXTS), NOON)
        for number in range(MESSAGES)
    ]
    await spine.send(*sent)
    async with moderation:
        for share in sorted(chance.uniform(0, 0.9) for _ in range(KILLS)):
            await _until_judged(state, int(share * MESSAGES) + 1)
            await asyncio.sleep(chance.uniform(0, 0.05))  # not only where a commit has just been seen
            await moderation.kill()
            moderation.start()
        await _until_judged(state, MESSAGES)
        await eventually(lambda: _is_empty(state))
        assert await moderation.stop() == 0
    await _check_state(state, sent)
    await _check_topics(spine, state, sent)


async def _check_state(state: Database, sent: list[MessageReceived]) -> None:
    """One verdict a message, one deletion a blocked message, exact counters."""
    verdicts = {document["_id"]: document["verdict"] async for document in state["messages"].find()}
    assert verdicts.keys() == {event.data.message_id for event in sent}
    deleted = Counter(
        [action["target"]["message_id"] async for action in state["actions"].find({"kind": "delete_message"})]
    )
    assert deleted == dict.fromkeys((key for key, verdict in verdicts.items() if verdict == "block"), 1)
    counted = {standing["_id"]: standing["counted"] async for standing in state["standings"].find()}
    assert counted == Counter(key_of(event.data.group_id, event.data.sender.member_id) for event in sent)


async def _check_topics(spine: Spine, state: Database, sent: list[MessageReceived]) -> None:
    """What is there twice is the same event twice."""
    screened = await _event_ids(
        spine, MODERATION_DECISIONS, "moderation.message.screened", lambda event: event.data.message_id
    )
    assert screened == {event.data.message_id: 1 for event in sent}
    requested = await _event_ids(spine, CHANNEL_ACTIONS, "channel.action.requested", lambda event: event.data.action_id)
    assert requested == {action["_id"]: 1 async for action in state["actions"].find()}


async def _event_ids(spine: Spine, topic: Topic, kind: str, about: Callable[[Event], str]) -> dict[str, int]:
    """How many different events of a kind there are about each thing."""
    found = defaultdict(set)
    for record in await spine.records(topic):
        event = decode(topic, record.value)
        if event.type == kind:
            found[about(event)].add(event.id)
    return {key: len(ids) for key, ids in found.items()}


async def _until_judged(state: Database, count: int) -> None:
    async def judged() -> bool:
        return bool(await state["messages"].count_documents({}) >= count)

    await eventually(judged, 60)


async def _is_empty(state: Database) -> bool:
    return not await state["outbox"].count_documents({})
