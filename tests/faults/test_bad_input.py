"""Whatever stands on its topic, moderation judges it or sets it aside with the reason, and goes on."""

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import MAX_TEXT
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.store import Database
from huiqun.stream.dead_letters import read_dead_letters, replay_dead_letter
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from tests.faults.invariants import check_invariants, wait_until_judged
from tests.processes import ServiceProcess

DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000


def changed(old: bytes, new: bytes) -> bytes:
    """A good message with some bytes of it replaced."""
    good = encode_event(message_received(999, sent_at=NOON))
    assert old in good
    return good.replace(old, new)


SET_ASIDE: dict[bytes | None, str] = {
    b"{broken": "Invalid JSON",
    None: "no value",
    b"\xff\xfe": "Invalid JSON",
    b"[]": "event",
    b'{"a":' * 30 + b"1" + b"}" * 30: "type",
    b"": "Invalid JSON",
    DEEP: "Invalid JSON",
    changed(b"received", b"painted"): "channel.message.painted",
    changed("你好".encode(), rb"\ud83d\ud83d"): "Invalid JSON",
    changed(b'"2026-11-22T04:00:00Z"', b'"1970-01-01T00:00:00Z"'): "time",
    changed(b'"2026-11-22T04:00:00Z"', b'"2200-01-01T00:00:00Z"'): "time",
    changed(b'"sender":{"member_id":"u1"', b'"sender":{"member_id":7'): "sender.member_id",
    changed(b'"data":{', b'"data":{"sent_at":[],"x":{'): "Invalid JSON",
}

# Ugly, but messages.
TEXTS = (
    "",
    "长" * 100_000,
    "x" * 900_000,
    "加微信领红包 " * 30_000,
    "http://a.cn/ 11010519491231002X " * 10_000,
    "长" * MAX_TEXT,
    "加微信领红包" * (MAX_TEXT // 6),
    "11010519491231002X" * (MAX_TEXT // 18),
    "http://a.cn/" * (MAX_TEXT // 12),
    "\u0000\u200b\u202e\ufdd0\U0010ffff",
    "e" + "\u0301" * 10_000,
    "👨‍👩‍👧‍👦" * 1_000,
    "$where {$ne: null} '; DROP TABLE",
)


async def test_bad_records_are_set_aside_and_ugly_messages_judged(
    rig: Rig, state: Database, moderation: ServiceProcess
) -> None:
    sent = [message_received(number, f"g{number}", text=text, sent_at=NOON) for number, text in enumerate(TEXTS)]
    before = [message_received(100 + number, "g1", "u2", sent_at=NOON) for number in range(5)]
    after = [message_received(200 + number, "g1", "u2", sent_at=NOON) for number in range(5)]
    await rig.broker.send(*before)
    for value in SET_ASIDE:
        await rig.broker.send_raw(CHANNEL_MESSAGES, value)
    await rig.broker.send(*sent, *after)
    async with moderation:
        await wait_until_judged(state, [*before, *sent, *after])
        await eventually(lambda: are_set_aside(rig, len(SET_ASIDE)))
        letters = {letter.value: letter async for letter in read_dead_letters(rig.broker.options, SERVICE)}
        for value, reason in SET_ASIDE.items():
            assert reason in letters[value].reason
        case = await state["cases"].find_one({"kind": "unreadable"})
        assert case is not None
        named = [value for value in SET_ASIDE if value is not None and b'"group_id"' in value]
        assert (case["group_id"], case["count"], case["state"]) == ("g1", len(named), "open")
        repaired = message_received(300, "g1", "u2", sent_at=NOON)
        await replay_dead_letter(rig.broker.publisher, letters[b"{broken"], repaired=encode_event(repaired))
        await wait_until_judged(state, [*before, *sent, *after, repaired])
        assert await moderation.stop() == 0
    await check_invariants(rig, state, [*before, *sent, *after, repaired])


async def are_set_aside(rig: Rig, count: int) -> bool:
    return len([letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]) >= count
