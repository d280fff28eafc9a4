"""`huiqun consumer` on a real broker and database: see what is paused, have it go on, have records set aside."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka import KafkaOptions
from huiqun.kafka.publisher import choose_partition
from huiqun.store import ensure_indexes
from huiqun.stream import ConsumerOptions, Route
from huiqun.stream.dead_letters import read_dead_letters
from huiqun.testing.broker import PARTITIONS, SERVICE
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from tests.servers import HANDLED_INDEXES
from tests.shell import Shell

ABOUT = ("--service", SERVICE)
GROUP = "g1"
PARTITION = f"{CHANNEL_MESSAGES.name}/{choose_partition(GROUP.encode(), PARTITIONS)}"
COUNT = 40


@dataclass
class Desk:
    """A shell, and a service whose handler fails as long as it is `broken`."""

    shell: Shell
    rig: Rig
    broken: bool = True
    seen: set[str] = field(default_factory=set)

    async def handle(self, _work: Work, events: Sequence[MessageReceived]) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.seen.update(event.data.message_id for event in events)

    async def letters(self) -> list[str]:
        return [letter.reason async for letter in read_dead_letters(self.rig.broker.options, SERVICE)]

    async def is_through(self) -> bool:
        return len(self.seen) + len(await self.letters()) == COUNT

    async def is_open(self) -> bool:
        return "open" in await self.shell.run_successfully("consumer", "status", *ABOUT)


@pytest_asyncio.fixture
async def desk(kafka_options: KafkaOptions, mongo_url: str, database_name: str) -> AsyncIterator[Desk]:
    name = f"{database_name}_{SERVICE}"
    environment = {
        "HUIQUN_MONGO_URL": mongo_url,
        "HUIQUN_DATABASE_PREFIX": f"{database_name}_",
        "HUIQUN_KAFKA_BOOTSTRAP": kafka_options.bootstrap,
        "HUIQUN_TOPIC_PREFIX": kafka_options.prefix,
        "HUIQUN_KAFKA_IDEMPOTENT": str(kafka_options.idempotent),
    }
    async with Rig.open(mongo_url, name, HANDLED_INDEXES, kafka=kafka_options) as rig:
        await ensure_indexes(rig.database, AUDIT_INDEXES)
        desk = Desk(Shell(environment), rig)
        await rig.broker.send(*[message_received(n, GROUP) for n in range(COUNT)])
        consumer = rig.consumer(Route((MessageReceived,), desk.handle), options=ConsumerOptions(trial_seconds=3600))
        async with running_component(consumer):
            await eventually(desk.is_open)
            yield desk
        await rig.client.drop_database(name)


async def test_a_paused_partition_is_shown_with_its_reason_and_resumed(desk: Desk) -> None:
    shown = await desk.shell.run_successfully("consumer", "status", *ABOUT)
    assert PARTITION in shown
    assert "ZeroDivisionError in handle" in shown
    desk.broken = False
    assert "goes on" in await desk.shell.run_successfully("consumer", "resume", *ABOUT, "--partition", PARTITION)
    await eventually(desk.is_through)
    assert not await desk.is_open()
    assert (await desk.shell.run_command("consumer", "resume", *ABOUT)).exit_code == 1
    actions = [entry["action"] async for entry in desk.rig.database["audit_log"].find()]
    assert actions == ["consumer.resumed"]


@pytest.mark.parametrize(
    "what",
    [
        ("--partition", PARTITION),
        ("--partition", PARTITION, "--offsets", "0-1000"),
        ("--key", GROUP),
        ("--type", "channel.message.received"),
    ],
)
async def test_what_is_skipped_is_set_aside_and_stops_at_what_has_been_written(desk: Desk, what: Sequence[str]) -> None:
    assert "will be set aside" in await desk.shell.run_successfully("consumer", "skip", *ABOUT, *what)
    assert "to be skipped" in await desk.shell.run_successfully("consumer", "status", *ABOUT)
    await desk.shell.run_successfully("consumer", "resume", *ABOUT)
    await eventually(desk.is_through)
    reasons = await desk.letters()
    assert sum("skipped by shell:" in reason for reason in reasons) == COUNT - 20
    assert not await desk.is_open()


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--offsets", "1-2"),
        ("--partition", "nonsense"),
        ("--partition", PARTITION, "--offsets", "5-5"),
        ("--type", "channel.message.painted"),
    ],
)
async def test_a_skip_that_says_nothing_sensible_is_refused(wrong: Sequence[str]) -> None:
    assert (await Shell({}).run_command("consumer", "skip", *ABOUT, *wrong)).exit_code == 2
