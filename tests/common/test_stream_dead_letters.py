"""Dead letters keep a record as it came, say why, and bring it back."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka.publisher import CONTENT_TYPE, Record
from huiqun.runtime.health import Heartbeat
from huiqun.stream.dead_letters import (
    DeadLetter,
    DeadLetterNotFoundError,
    dead_letter_record,
    get_dead_letter,
    read_dead_letters,
    replay_dead_letter,
    write_dead_letters,
)
from huiqun.telemetry import format_frames
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig

Headers = tuple[tuple[str, bytes | None], ...]


def record(rig: Rig, value: bytes | None, headers: Headers = (), key: bytes | None = b"g1") -> Any:
    topic = rig.broker.options.prefix + CHANNEL_MESSAGES.name
    return ConsumerRecord(topic, 1, 42, 0, 0, key, value, None, 0, 0, headers)


async def set_aside(rig: Rig, *records: Any) -> None:
    letters = [
        dead_letter_record(SERVICE, each, reason="why", error="where", prefix=rig.broker.options.prefix)
        for each in records
    ]
    await write_dead_letters(rig.broker.publisher, letters, Heartbeat())


async def letters(rig: Rig) -> list[DeadLetter]:
    return [letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]


async def test_a_dead_letter_is_the_record_with_notes_on_where_from_and_why(rig: Rig) -> None:
    await set_aside(rig, record(rig, b"{broken", (("traceparent", b"00-ab"), ("from", None))))
    (letter,) = await letters(rig)
    assert (letter.topic, letter.partition, letter.offset) == ("channel.messages.v1", 1, 42)
    assert (letter.reason, letter.error, letter.replays) == ("why", "where", 0)
    assert (letter.key, letter.value) == (b"g1", b"{broken")
    assert dict(letter.headers) == {"traceparent": b"00-ab", "from": None}
    assert await get_dead_letter(rig.broker.options, SERVICE, letter.id) == letter


@pytest.mark.parametrize("replays", [b"many", b"", b"-1", b"9" * 5000, "٣".encode(), b"\xff", None], ids=repr)
def test_headers_of_our_names_with_anything_in_them_are_borne(replays: bytes | None) -> None:
    headers: Headers = (("dead-letter-replays", replays), ("dead-letter-topic", None), ("dead-letter-", b"\x00"))
    came = ConsumerRecord("t", 0, 0, 0, 0, None, None, None, 0, 0, headers)
    kept = dead_letter_record(SERVICE, came, reason="why", error="", prefix="")
    assert dict(kept.headers)["dead-letter-topic"] == b"t"
    assert dict(kept.headers)["dead-letter-replays"].isdigit()
    assert len(dict(kept.headers)) == len(kept.headers)


async def test_a_record_as_large_as_brokers_take_becomes_a_dead_letter(rig: Rig) -> None:
    await set_aside(rig, record(rig, b"x" * 2 * 1024 * 1024))
    (letter,) = await letters(rig)
    assert len(letter.value or b"") == 2 * 1024 * 1024


async def test_a_record_without_key_or_value_is_kept_too(rig: Rig) -> None:
    await set_aside(rig, record(rig, None, key=None))
    (letter,) = await letters(rig)
    assert (letter.key, letter.value) == (None, None)


async def test_a_repaired_letter_goes_back_to_where_it_came_from_and_its_replays_are_counted(rig: Rig) -> None:
    event = message_received(1)
    await set_aside(rig, record(rig, b"{broken", (CONTENT_TYPE,)))
    (letter,) = await letters(rig)
    await replay_dead_letter(rig.broker.publisher, letter, repaired=encode_event(event))
    (back,) = await rig.broker.records(CHANNEL_MESSAGES)
    assert (back.key, back.value) == (b"g1", encode_event(event))
    assert dict(back.headers) == {CONTENT_TYPE[0]: CONTENT_TYPE[1], "dead-letter-replays": b"1"}
    await set_aside(rig, back)
    assert [each.replays for each in await letters(rig)] == [0, 1]


async def test_only_letters_of_known_topics_are_replayed(rig: Rig) -> None:
    await write_dead_letters(
        rig.broker.publisher, [Record(f"{SERVICE}.dead-letters.v1", b"g1", b"no notes")], Heartbeat()
    )
    (foreign,) = await letters(rig)
    with pytest.raises(DeadLetterNotFoundError):
        await replay_dead_letter(rig.broker.publisher, foreign)
    with pytest.raises(DeadLetterNotFoundError):
        await get_dead_letter(rig.broker.options, SERVICE, "0-99")


def test_a_traceback_says_where_and_not_what_was_said() -> None:
    try:
        int("身份证 11010519491231002X")
    except ValueError as error:
        where = format_frames(error)
    assert __file__ in where
    assert where.endswith("ValueError")
    assert "11010519491231002X" not in where.replace('int("身份证 11010519491231002X")', "")
