"""How tests reach the servers of the session."""

import uuid

from huiqun.kafka import KafkaOptions
from huiqun.testing.rig import Rig
from local.stack import SESSION_TIMEOUT_MILLISECONDS, Stack

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
    )
