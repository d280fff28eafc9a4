"""What cannot be processed is set aside with its reason, harms no neighbour, and can be put back; on a real broker."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.stream import Route
from huiqun.stream.dead_letters import DeadLetter, latest_dead_letters, read_dead_letters
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from tests.servers import handled_ids
from tests.shell import Shell

SECRET = "我的卡号六二二二"
SERVICE = ("--service", "moderation")


def shell_at(rig: Rig, prefix: str | None = None) -> Shell:
    return Shell(
        {
            "HUIQUN_KAFKA_BOOTSTRAP": rig.broker.options.bootstrap,
            "HUIQUN_TOPIC_PREFIX": prefix or rig.broker.options.prefix,
            "HUIQUN_KAFKA_IDEMPOTENT": str(rig.broker.options.idempotent),
        }
    )


async def handle(work: Work, events: Sequence[MessageReceived]) -> None:
    """Note what was handled; a message of the unlucky member raises."""
    for event in events:
        if event.data.sender.member_id == "unlucky":
            raise ValueError(f"cannot handle {event.data.message_id}")
    documents = [{"_id": event.data.message_id, "text": event.data.text} for event in events]
    await work.collection("seen").insert_many(documents)


async def letters(rig: Rig) -> list[DeadLetter]:
    found = [letter async for letter in read_dead_letters(rig.broker.options, "moderation")]
    return sorted(found, key=lambda letter: letter.at)


async def letter_count(rig: Rig) -> int:
    return len(await letters(rig))


async def test_broken_records_and_handlers_become_dead_letters_and_a_repaired_one_is_handled(
    rig: Rig, tmp_path: Path
) -> None:
    whole = encode_event(message_received(3, text=SECRET))
    broken = whole.replace(b'"channel.message.received"', b'"channel.message.whispered"')
    await rig.broker.send(message_received(1), message_received(2, member="unlucky"))
    await rig.broker.send_raw(CHANNEL_MESSAGES, broken)
    await rig.broker.send(message_received(4))

    async def dead(number: int) -> bool:
        return await letter_count(rig) == number

    async def repaired_is_handled() -> bool:
        return "m00003" in await handled_ids(rig)

    async with running_component(rig.consumer(Route((MessageReceived,), handle))):
        await eventually(lambda: dead(2))
        assert await handled_ids(rig) == ["m00001", "m00004"]
        undecodable, raised = sorted(await letters(rig), key=lambda letter: "ValueError" in letter.reason)
        check_letters(undecodable, raised, broken)
        await check_reading(shell_at(rig), undecodable, raised)
        await replay_repaired(shell_at(rig), undecodable, whole, tmp_path)
        await eventually(repaired_is_handled)

        replay = ("dead-letters", "replay", "--all", *SERVICE, "--reason-contains", "ValueError in handle")
        assert "1 records" in await shell_at(rig).run_successfully(*replay)
        await eventually(lambda: dead(3))
        again = (await letters(rig))[-1]
        assert (again.reason, again.replays, again.value) == (raised.reason, 1, raised.value)
        assert len(latest_dead_letters(await letters(rig))) == 2, "each record once, however often it came back"


def check_letters(undecodable: DeadLetter, raised: DeadLetter, broken: bytes) -> None:
    assert (undecodable.topic, undecodable.key, undecodable.value) == (CHANNEL_MESSAGES.name, b"g1", broken)
    assert "type" in undecodable.reason
    assert SECRET not in undecodable.reason
    assert (raised.reason.partition(",")[0], raised.replays) == ("ValueError in handle", 0)
    assert "m00002" not in raised.reason + raised.error, "what an error says may quote a person's data"
    assert "test_dead_letters.py" in raised.error
    assert ("content-type", b"application/cloudevents+json") in raised.headers


async def check_reading(shell: Shell, undecodable: DeadLetter, raised: DeadLetter) -> None:
    listed = await shell.run_successfully("dead-letters", "list", *SERVICE)
    assert "2 dead letters of moderation" in listed
    assert "ValueError in handle" in listed
    lines = [
        json.loads(line)
        for line in (await shell.run_successfully("dead-letters", "list", *SERVICE, "--json")).splitlines()
    ]
    assert {line["id"] for line in lines} == {undecodable.id, raised.id}
    assert SECRET not in listed + str(lines)
    shown = await shell.run_command("dead-letters", "show", undecodable.id, *SERVICE)
    assert SECRET in shown.stdout
    assert "personal data" in shown.stderr
    assert (
        await shell.run_successfully("dead-letters", "show", undecodable.id, *SERVICE, "--value-only")
    ).encode() == (undecodable.value)


async def replay_repaired(shell: Shell, letter: DeadLetter, whole: bytes, directory: Path) -> None:
    """Put a letter back, first with a value that is no better, then with one that is."""
    replay = ("dead-letters", "replay", letter.id, *SERVICE, "--value")
    refused = await shell.run_command(*replay, written(directory / "broken.json", letter.value or b""))
    assert (refused.exit_code, "no event of channel.messages.v1" in refused.stderr) == (1, True)
    await shell.run_successfully(*replay, written(directory / "repaired.json", whole))


def written(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    return str(file)


async def test_asking_for_what_is_not_there_ends_with_1_and_wrong_usage_with_2(rig: Rig) -> None:
    shell, service = shell_at(rig), ("-s", "survey")
    for command in (("show", "0-7"), ("replay", "0-7")):
        result = await shell.run_command("dead-letters", *command, *service)
        assert (result.exit_code, "no dead letter 0-7" in result.stderr) == (1, True)
    for wrong in ((), ("0-7", "--all"), ("--all", "--value", __file__), ("0-7", "--reason-contains", "x")):
        assert (await shell.run_command("dead-letters", "replay", *wrong, *service)).exit_code == 2
    missing = await shell_at(rig, "elsewhere.").run_command("dead-letters", "list", *service)
    assert (missing.exit_code, "huiqun topics create" in missing.stderr) == (2, True)


def test_the_latest_letters_are_those_of_records_that_differ() -> None:
    noon = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
    first = DeadLetter("0-0", "t", 0, 0, noon, "why", "", 0, b"g1", b"{", ())
    again = replace(first, id="0-9", at=noon + timedelta(minutes=1), replays=1)
    other = replace(first, id="0-1", key=b"g2")
    assert [letter.id for letter in latest_dead_letters([first, again, other])] == ["0-1", "0-9"]
