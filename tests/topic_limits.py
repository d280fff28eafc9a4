"""Topics that take less than others, as operators set them."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from huiqun.contracts.topics import Topic
from huiqun.kafka import KafkaOptions
from huiqun.testing.waiting import eventually

_SETTING = "max.message.bytes"


async def set_topic_limit(kafka: KafkaOptions, topic: Topic, limit: int) -> None:
    """Set the most bytes that a topic takes in one batch; returns when the broker says that it is so."""
    admin = AIOKafkaAdminClient(**kafka.client_arguments())
    await admin.start()
    name = kafka.prefix + topic.name
    try:
        changed = ConfigResource(ConfigResourceType.TOPIC, name, configs={_SETTING: str(limit)})
        await admin.alter_configs([changed])

        async def is_set() -> bool:
            (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
            return (_SETTING, str(limit)) in [entry[:2] for entry in response.resources[0][4]]

        await eventually(is_set)
    finally:
        await admin.close()
