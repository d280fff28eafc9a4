"""How tests reach the servers of the session."""

import uuid

from aiokafka.admin import AIOKafkaAdminClient

from huiqun.contracts.topics import TOPICS
from huiqun.kafka import KafkaOptions
from huiqun.testing.rig import Rig
from local.stack import FETCH_WAIT_MILLISECONDS, SESSION_TIMEOUT_MILLISECONDS, Stack

#: The indexes of a collection that a test's own handlers write to.
HANDLED_INDEXES: dict[str, tuple[()]] = {"seen": ()}


async def handled_ids(rig: Rig) -> list[str]:
    """The ids of the documents that those handlers wrote."""
    return [document["_id"] for document in await rig.documents("seen")]


def new_database_name() -> str:
    """A database of the test's own, gone with its server."""
    return f"test_{uuid.uuid4().hex[:12]}"


def kafka_options_of(stack: Stack, prefix: str) -> KafkaOptions:
    """How to reach the broker of `stack`, with quick joins."""
    return KafkaOptions(
        bootstrap=stack.bootstrap,
        prefix=prefix,
        idempotent=stack.broker.producer_ids,
        session_timeout_milliseconds=SESSION_TIMEOUT_MILLISECONDS,
        fetch_wait_milliseconds=FETCH_WAIT_MILLISECONDS,
    )


async def delete_topics(options: KafkaOptions) -> None:
    """Delete the topics of a test: every client that connects later would read of all that there are."""
    admin = AIOKafkaAdminClient(**options.client_arguments())
    await admin.start()
    try:
        await admin.delete_topics([options.prefix + topic.name for topic in TOPICS])
    finally:
        await admin.close()
