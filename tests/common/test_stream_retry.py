"""Which errors pass by themselves, and for how long a part tries again."""

import asyncio

import pytest
from aiokafka.errors import (
    CommitFailedError,
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    UnknownTopicOrPartitionError,
)
from pymongo.errors import AutoReconnect, OperationFailure

from huiqun.runtime.health import Heartbeat
from huiqun.work.retry import is_transient, retry_for, retry_forever


class Failing:
    """Fails with the errors given, one a call, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (KafkaConnectionError(), True),
        (KafkaTimeoutError(), True),
        (UnknownTopicOrPartitionError(), True),
        (CommitFailedError(), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (AutoReconnect(), True),
        (MessageSizeTooLargeError(), False),
        (OperationFailure("validation", 121), False),
        (KeyError("x"), False),
        (OSError("no space left"), False),
    ],
    ids=repr,
)
def test_an_absent_broker_or_store_passes_and_a_defect_does_not(error: Exception, passes: bool) -> None:
    assert is_transient(error) is passes


async def test_what_passes_is_tried_until_it_has_and_the_part_is_not_well_meanwhile() -> None:
    heartbeat, attempt = Heartbeat(), Failing(AutoReconnect(), KafkaConnectionError())
    assert await retry_forever(attempt, name="test", on_retry=heartbeat.mark_failing) == "done"
    assert (attempt.calls, heartbeat.failure) == (3, "KafkaConnectionError")


async def test_what_does_not_pass_is_raised_at_once() -> None:
    attempt = Failing(AutoReconnect(), ValueError("defect"), AutoReconnect())
    with pytest.raises(ValueError, match="defect"):
        await retry_forever(attempt, name="test")
    assert attempt.calls == 2


async def test_a_person_who_waits_is_told_after_a_while() -> None:
    attempt = Failing(*(AutoReconnect() for _ in range(10_000)))
    async with asyncio.timeout(5):
        with pytest.raises(AutoReconnect):
            await retry_for(0.2, attempt, name="test")
    assert attempt.calls > 1
