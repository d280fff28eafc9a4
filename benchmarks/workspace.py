"""The ground a measurement stands on: topics and a database of its own on the shared servers, and child processes."""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

from benchmarks.figures import BenchmarkError
from benchmarks.messages import groups
from benchmarks.rulebooks import GROUPS as LARGE_GROUPS
from benchmarks.rulebooks import MADE, POLICIES, WORDS, lexicon_of, policies_of
from huiqun.audit import AUDIT_INDEXES
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.channel import GroupUpdated
from huiqun.contracts.topics import CHANNEL_MESSAGES, TOPICS, Topic
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import Record
from huiqun.kafka.topics import create_topics
from huiqun.privacy.encryption import FieldEncryption, MasterKeys
from huiqun.privacy.suppression import SuppressionList
from huiqun.runtime.clock import SystemClock
from huiqun.store import Client, Database, connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.versions.model import ActivateVersionCommand
from huiqun.work import WORK_INDEXES, Transactor, Work
from local.errors import tail_log
from local.ports import free_port
from local.process import ServerProcess
from local.stack import SESSION_TIMEOUT_MILLISECONDS, Stack
from local.system import mongo_of
from moderation.documents import INDEXES
from moderation.groups.store import mark_groups_changed, set_group_policy
from moderation.lexicon.handlers import ImportWordListCommand, import_word_list
from moderation.policies.handlers import activate_policy_version, write_policy_version
from moderation.policies.sections.rules import Rules

PARTITIONS = 4
MODERATION = ("moderation", "--roles", "streams")
_ROOT = Path(__file__).parent.parent
_CHUNK = 5_000
_LOOK_SECONDS = 0.04
_NOT_BUSY = {"idle", "iowait", "guest", "guest_nice"}  # a guest's seconds are in "user" already
_numbers = itertools.count(1)
_AUTHOR = "bench"


@dataclass(frozen=True, slots=True)
class AcknowledgedSample:
    """How many messages were acknowledged at a time, and the processor seconds each process had used by then.

    "others" is what all programs used that have nothing to do with the benchmark.
    """

    at: float
    count: int
    processor: Mapping[str, float]


@dataclass(slots=True)
class BenchmarkWorkspace:
    """Topics with a prefix and databases with a prefix; `environment` tells a child of both."""

    stack: Stack
    kafka: KafkaOptions
    database_prefix: str
    client: Client
    admin: AIOKafkaAdminClient
    publisher: Publisher
    api_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    children: dict[str, ServerProcess] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """The database that moderation, or who stands in for it, writes to."""
        return self.client[f"{self.database_prefix}moderation"]

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs to know."""
        return {
            **self.stack.environment,
            "HUIQUN_KAFKA_FETCH_WAIT_MS": str(self.kafka.fetch_wait_milliseconds),
            "HUIQUN_TOPIC_PREFIX": self.kafka.prefix,
            "HUIQUN_DATABASE_PREFIX": self.database_prefix,
            "HUIQUN_API_PORT": str(self.api_port),
            "HUIQUN_METRICS_PORT": str(self.metrics_port),
            "HUIQUN_LOG_LEVEL": "WARNING",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        }

    async def introduce_groups(self) -> None:
        """Let moderation know the groups of the messages before it starts."""

        keys = MasterKeys(self.stack.environment["HUIQUN_ENCRYPTION_KEY"])
        suppression = SuppressionList(self.stack.environment["HUIQUN_HASH_KEY"].encode())
        directory = Directory(FieldEncryption(self.client, self.database.name, keys), suppression)

        async def save(work: Work) -> None:
            known = [GroupUpdated.create(group.group_id, group, time=work.now) for group in groups()]
            await directory.record_events(work, known)
            await mark_groups_changed(work, [group.group_id for group in groups()])

        await self.transact(save)

    async def introduce_institution(self) -> None:
        """Let moderation know as many words, groups and policies as a large institution has."""
        await self.prepare_documents()
        own = [word for word in lexicon_of(WORDS) if word.list_name == MADE]
        await self.transact(
            partial(import_word_list, command=ImportWordListCommand(MADE, tuple(own), "bench"), author=_AUTHOR)
        )
        for policy_id, changes in policies_of(POLICIES).items():
            rules = Rules.model_validate(changes)
            await self.transact(
                partial(write_policy_version, policy_id=policy_id, rules=rules, note="", author=_AUTHOR)
            )
            command = ActivateVersionCommand(1, _AUTHOR, four_eyes=False)
            activate = partial(activate_policy_version, policy_id=policy_id, command=command, check=lambda _: None)
            await self.transact(activate)
        await self.transact(_assign_groups)

    async def prepare_documents(self) -> None:
        """Make what moderation's documents need, where something is written before it has started."""
        await ensure_indexes(self.database, {**WORK_INDEXES, **TASK_INDEXES, **AUDIT_INDEXES, **INDEXES})

    async def transact(self, use_case: Callable[[Work], Awaitable[object]]) -> None:
        """Carry out a use case as a request to moderation would."""
        await Transactor(self.client, self.database, self.publisher, SystemClock()).run(use_case)

    async def publish_records(self, records: Sequence[Record]) -> None:
        """Put the records on their topics, in order."""
        for start in range(0, len(records), _CHUNK):
            await self.publisher.publish(records[start : start + _CHUNK])

    async def count_acknowledged(self, group: str) -> int:
        """How many messages the consumer group has acknowledged."""
        name = self.kafka.prefix + CHANNEL_MESSAGES.name
        partitions = [TopicPartition(name, number) for number in range(PARTITIONS)]
        try:
            offsets = await self.admin.list_consumer_group_offsets(self.kafka.prefix + group, partitions=partitions)
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
            return 0  # Apache Kafka sets up its offsets topic when the first group asks for it
        return sum(max(place.offset, 0) for place in offsets.values())

    async def count_records(self, topic: Topic, least: int) -> int:
        """How many records a reader finds on the topic, having waited up to 5 s for `least` of them.

        They are read, because Tansu's end offset is that of the last batch's first record.
        """
        consumer = AIOKafkaConsumer(**self.kafka.client_arguments(), enable_auto_commit=False)
        await asyncio.wait_for(consumer.start(), 15)
        try:
            partitions = [TopicPartition(self.kafka.prefix + topic.name, number) for number in range(PARTITIONS)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            found = 0
            while polled := await consumer.getmany(timeout_ms=5_000 if found < least else 100):
                found += sum(map(len, polled.values()))
            return found
        finally:
            await consumer.stop()

    async def wait_until_acknowledged(self, group: str, count: int, seconds: float) -> list[AcknowledgedSample]:
        """Look on until the group has acknowledged `count` messages; raises BenchmarkError after `seconds`."""
        deadline = time.perf_counter() + seconds
        moments = [await self._moment(group)]
        while moments[-1].count < count:
            self.check_children()
            if moments[-1].at > deadline:
                raise BenchmarkError(f"{moments[-1].count} of {count} messages after {seconds:g} s{self._logs()}")
            await asyncio.sleep(_LOOK_SECONDS)
            moments.append(await self._moment(group))
        return moments

    def check_children(self) -> None:
        """Raise BenchmarkError when a child has ended."""
        for name, child in self.children.items():
            if not child.running:
                raise BenchmarkError(f"{name} ended{self._logs()}")

    @asynccontextmanager
    async def running_child(self, name: str, module: Sequence[str]) -> AsyncIterator[ServerProcess]:
        """Run `python -m module...` for as long as the context lasts, and stop it by its process id."""
        log = self.stack.directory / f"{self.kafka.prefix}{name.replace(' ', '-')}.log"
        child = ServerProcess(name, [sys.executable, "-m", *module], log, self.environment)
        child.spawn()
        self.children[name] = child
        try:
            yield child
        finally:
            del self.children[name]
            await child.stop()

    async def _moment(self, group: str) -> AcknowledgedSample:
        count = await self.count_acknowledged(group)
        servers = {"mongod": self.stack.mongod.process, "broker": self.stack.broker.process}
        used = {name: _processor_seconds(process.pid) for name, process in {**self.children, **servers}.items()}
        used["others"] = _machine_seconds() - sum(used.values()) - time.process_time()
        return AcknowledgedSample(time.perf_counter(), count, used)

    def _logs(self) -> str:
        return "".join(f"\n{name}:\n{tail_log(child.log)}" for name, child in self.children.items())


@asynccontextmanager
async def open_workspace(stack: Stack, *, large: bool = False) -> AsyncIterator[BenchmarkWorkspace]:
    """Lay a new ground on the servers, for a `large` institution if asked to, and clear it away afterwards."""
    number = next(_numbers)
    options = KafkaOptions(stack.bootstrap, f"bench{number}.", stack.broker.producer_ids, SESSION_TIMEOUT_MILLISECONDS)
    laid = BenchmarkWorkspace(
        stack,
        options,
        f"bench{number}_",
        connect(mongo_of(stack)),
        AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap, request_timeout_ms=30_000),
        Publisher(options),
    )
    try:
        await create_topics(options, partitions=PARTITIONS, replication=1)
        await asyncio.wait_for(laid.admin.start(), 15)
        await asyncio.wait_for(laid.publisher.start(), 15)
        await laid.introduce_groups()
        if large:
            await laid.introduce_institution()
        yield laid
        await laid.client.drop_database(laid.database.name)
        await laid.admin.delete_topics([options.prefix + topic.name for topic in TOPICS])
    finally:
        await laid.publisher.stop()
        await laid.admin.close()
        await laid.client.close()


async def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Wait for the condition; raises BenchmarkError, naming `what`, when it takes too long."""
    deadline = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > deadline:
            raise BenchmarkError(f"no {what} within {seconds:g} s")
        await asyncio.sleep(_LOOK_SECONDS)


def _processor_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _machine_seconds() -> float:
    """The processor seconds that anything on this machine has used."""
    times = psutil.cpu_times()._asdict()
    return sum(float(seconds) for name, seconds in times.items() if name not in _NOT_BUSY)


async def _assign_groups(work: Work) -> None:
    """Spread the groups of the messages, and as many quiet ones as there are beside them, over the policies."""
    named = sorted(policies_of(POLICIES))
    for number in range(LARGE_GROUPS):
        await set_group_policy(work, f"g{number:03d}", named[number % len(named)])
