"""What a user may do on Apache Kafka, said in its protocol, because aiokafka's own client does not know it."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from huiqun.kafka import KafkaOptions

_CREATE_ACLS, _PREFIXED, _ALLOW = 30, 4, 3
_TEXT = String("utf-8")


class Resource(IntEnum):
    """What a right is about."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    """What may be done."""

    READ = 3
    WRITE = 4
    DESCRIBE = 8


Rights = Mapping[Resource, Sequence[Operation]]


class CreateAclsResponse(Response):  # type: ignore[misc] # aiokafka is untyped
    API_KEY, API_VERSION = _CREATE_ACLS, 1
    SCHEMA = Schema(("throttle", Int32), ("results", Array(("code", Int16), ("message", _TEXT))))


class CreateAclsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, RESPONSE_TYPE = _CREATE_ACLS, 1, CreateAclsResponse
    SCHEMA = Schema(
        (
            "creations",
            Array(
                *(("resource", Int8), ("name", _TEXT), ("pattern", Int8), ("principal", _TEXT)),
                *(("host", _TEXT), ("operation", Int8), ("permission", Int8)),
            ),
        )
    )


class CreateAcls(Request[CreateAclsStruct]):  # type: ignore[misc]
    API_KEY = _CREATE_ACLS

    def __init__(self, creations: Sequence[tuple[int, str, int, str, str, int, int]]) -> None:
        self._creations = creations

    def build(self, struct: type[CreateAclsStruct]) -> CreateAclsStruct:
        return struct(self._creations)


async def grant(administrator: KafkaOptions, user: str, rights: Rights) -> None:
    """Let the user do these things with whatever has the prefix of the options."""
    creations = [
        (resource, administrator.prefix, _PREFIXED, f"User:{user}", "*", operation, _ALLOW)
        for resource, operations in rights.items()
        for operation in operations
    ]
    client = AIOKafkaClient(**administrator.client_arguments())
    await client.bootstrap()
    try:
        answer = await client.send(client.get_random_node(), CreateAcls(creations))
    finally:
        await client.close()
    assert [code for code, _ in answer.results] == [0] * len(creations), answer
