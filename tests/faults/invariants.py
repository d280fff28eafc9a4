"""What must hold of moderation's state and topics after any fault: each message judged, counted and answered once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_ACTIONS, MODERATION_DECISIONS, Topic
from huiqun.store import Database
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from moderation.archive.model import RevisionKey
from moderation.standings.model import standing_key

TEXTS = ("早上好", "请问网点几点开门？", "谢谢您", "收到", "加微信 abc12345 领红包", "身份证 11010519491231002X")


async def has_judged(state: Database, count: int) -> bool:
    """Whether at least so many messages have a verdict."""
    return bool(await state["messages"].count_documents({}) >= count)


async def wait_until_judged(state: Database, sent: Sequence[MessageReceived]) -> None:
    """Wait until every message has a verdict and everything that follows from it is published."""

    async def settled() -> bool:
        return await has_judged(state, len(sent)) and not await state["outbox"].count_documents({})

    await eventually(settled, 60)


async def check_invariants(rig: Rig, state: Database, sent: Sequence[MessageReceived]) -> None:
    """Nothing lost, nothing twice. The messages are of one day, and none was edited."""
    judged = [(RevisionKey.parse(each["_id"]), each["verdict"]) async for each in state["messages"].find()]
    verdicts = {key.message_id: verdict for key, verdict in judged}
    assert len(verdicts) == len(judged)
    assert verdicts.keys() == {event.data.message_id for event in sent}
    deletions = state["actions"].find({"kind": "delete_message"})
    deleted = Counter([action["target"]["message_id"] async for action in deletions])
    assert deleted == dict.fromkeys((key for key, verdict in verdicts.items() if verdict == "block"), 1)
    counted = {standing["_id"]: standing["counted"] async for standing in state["standings"].find()}
    assert counted == Counter(standing_key(event.data.group_id, event.data.sender.member_id) for event in sent)
    # What stands on a topic twice is the same event twice.
    screened = await _events(rig, MODERATION_DECISIONS, "moderation.message.screened", lambda it: it.data.message_id)
    assert screened == dict.fromkeys(verdicts, 1)
    requested = await _events(rig, CHANNEL_ACTIONS, "channel.action.requested", lambda it: it.data.action_id)
    assert requested == {action["_id"]: 1 async for action in state["actions"].find({"how": {"$ne": "unsupported"}})}


async def _events(rig: Rig, topic: Topic, kind: str, about: Callable[[Event], str]) -> dict[str, int]:
    """How many different events of a kind there are about each thing."""
    found = defaultdict(set)
    for record in await rig.broker.records(topic):
        event = decode_event(topic, record.value)
        if event.type == kind:
            found[about(event)].add(event.id)
    return {key: len(ids) for key, ids in found.items()}
