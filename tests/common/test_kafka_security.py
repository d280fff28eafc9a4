"""Clients sign in and encrypt on real listeners; whom the broker will not have is told why and what to set."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from huiqun.contracts.topics import CHANNEL_ACTIONS, CHANNEL_MESSAGES, TOPICS
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.presence import TopicsUnavailableError
from huiqun.kafka.publisher import Record
from huiqun.kafka.security import KafkaSecurity, SaslMechanism
from huiqun.kafka.topics import create_topics
from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.stream.dead_letters import read_dead_letters
from huiqun.testing.broker import read_topic
from huiqun.work.retry import is_transient
from local.certificates import Authority
from local.ports import free_port
from local.secured_kafka import ListenerName, SecuredListeners
from local.stack import Stack
from local.tansu import Tansu
from tests.shell import Shell
from tests.tls_terminator import tls_before

RECORD = Record(CHANNEL_ACTIONS.name, b"g1", b"signed in")


@pytest.fixture
def secured(stack: Stack) -> SecuredListeners:
    assert stack.secured is not None
    return stack.secured


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


async def refusal(options: KafkaOptions) -> str:
    """What is said to a client that the broker does not let in; the service goes on trying."""
    publisher = Publisher(options)
    with pytest.raises(MisconfigurationError) as refused:
        await publisher.start()
    await publisher.stop()
    assert isinstance(refused.value, KafkaError)
    assert is_transient(refused.value)
    return str(refused.value)


@pytest.mark.kafka_only
@pytest.mark.parametrize(
    ("listener", "mechanism"),
    [
        ("SASL_SSL", "PLAIN"),
        ("SASL_SSL", "SCRAM-SHA-256"),
        ("SASL_SSL", "SCRAM-SHA-512"),
        ("SASL_PLAINTEXT", "PLAIN"),
        ("SASL_PLAINTEXT", "SCRAM-SHA-512"),
        ("SSL", "PLAIN"),
    ],
)
async def test_every_client_signs_in_on_every_kind_of_listener(
    secured: SecuredListeners, topic_prefix: str, listener: ListenerName, mechanism: SaslMechanism
) -> None:
    security = secured.security(listener, mechanism)
    options = KafkaOptions(secured.bootstrap(listener), topic_prefix, security=security)
    assert len(await create_topics(options, partitions=1, replication=1)) == len(TOPICS)
    publisher = Publisher(options)
    await publisher.publish([RECORD])
    await publisher.ping()
    await publisher.stop()
    assert [record.value for record in await read_topic(options, CHANNEL_ACTIONS, 1)] == [RECORD.value]
    assert [letter async for letter in read_dead_letters(options, "survey")] == []
    shell = Shell({**secured.environment(listener, mechanism), "HUIQUN_TOPIC_PREFIX": topic_prefix})
    assert "missing" not in await shell.run_successfully("topics", "list")


@pytest.mark.kafka_only
async def test_a_broker_that_does_not_let_us_in_is_explained_with_what_to_set(
    secured: SecuredListeners, stack: Stack, authority: Authority
) -> None:
    good = secured.security("SASL_SSL")
    wrong = SecretStr("wrong-s3cret")
    own = authority.issue("stranger")
    cases: list[tuple[str, KafkaSecurity, str]] = [
        (secured.bootstrap("SASL_SSL"), replace(good, password=wrong), "HUIQUN_KAFKA_PASSWORD"),
        (secured.bootstrap("SASL_SSL"), replace(good, mechanism="PLAIN", password=wrong), "HUIQUN_KAFKA_PASSWORD"),
        (secured.bootstrap("SASL_SSL"), replace(good, ca_file=None), "HUIQUN_KAFKA_CA_FILE"),
        (secured.bootstrap("SASL_SSL"), replace(good, ca_file=authority.file), "HUIQUN_KAFKA_CA_FILE"),
        (secured.bootstrap("SASL_SSL"), replace(good, protocol="SASL_PLAINTEXT"), "HUIQUN_KAFKA_SECURITY_PROTOCOL"),
        (secured.bootstrap("SASL_PLAINTEXT"), KafkaSecurity(), "HUIQUN_KAFKA_SECURITY_PROTOCOL"),
        (secured.bootstrap("SSL"), KafkaSecurity("SSL", ca_file=good.ca_file), "HUIQUN_KAFKA_CERTIFICATE_FILE"),
        (
            secured.bootstrap("SSL"),
            KafkaSecurity("SSL", ca_file=good.ca_file, certificate_file=own.both),
            "HUIQUN_KAFKA_CERTIFICATE_FILE",
        ),
        (stack.bootstrap, replace(good, protocol="SASL_PLAINTEXT"), "HUIQUN_KAFKA_SECURITY_PROTOCOL"),
        (stack.bootstrap, good, "does not speak TLS"),
    ]
    for bootstrap, security, expected in cases:
        said = await refusal(KafkaOptions(bootstrap, security=security))
        assert said.startswith(f"Kafka at {bootstrap} "), said
        assert expected in said
        assert "s3cret" not in said
        assert secured.password not in said


@pytest.mark.kafka_only
@pytest.mark.usefixtures("rig")
async def test_topics_that_a_user_may_not_see_are_named_with_the_user(
    secured: SecuredListeners, topic_prefix: str
) -> None:
    security = replace(secured.security("SASL_SSL"), username=secured.stranger)
    publisher = Publisher(
        KafkaOptions(secured.bootstrap("SASL_SSL"), topic_prefix, idempotent=False, security=security)
    )
    with pytest.raises(TopicsUnavailableError) as refused:
        await publisher.check_topics_exist([CHANNEL_MESSAGES.name])
    await publisher.stop()
    for expected in (f"does not let us use {topic_prefix}{CHANNEL_MESSAGES.name}", f"grant {secured.stranger}"):
        assert expected in str(refused.value)


@pytest_asyncio.fixture
async def terminated(stack: Stack, authority: Authority) -> AsyncIterator[int]:
    async with tls_before(stack.broker.port, authority.issue("mutual"), authority) as port:
        yield port


async def test_a_certificate_that_does_not_hold_is_told_with_what_is_wrong_with_it(
    stack: Stack, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    trusting = KafkaSecurity("SSL", ca_file=authority.file)
    for pair, expected in (
        (authority.issue("expired", expired=True), "has expired"),
        (authority.issue("elsewhere", ("kafka.bank.example",)), "for another name"),
        (stranger.issue("strange"), "HUIQUN_KAFKA_CA_FILE"),
    ):
        async with tls_before(stack.broker.port, pair) as port:
            assert expected in await refusal(KafkaOptions(f"127.0.0.1:{port}", security=trusting))


async def test_a_broker_that_asks_for_a_certificate_of_ours_says_so(terminated: int, authority: Authority) -> None:
    bootstrap = f"127.0.0.1:{terminated}"
    said = await refusal(KafkaOptions(bootstrap, security=KafkaSecurity("SSL", ca_file=authority.file)))
    assert "HUIQUN_KAFKA_CERTIFICATE_FILE and HUIQUN_KAFKA_KEY_FILE" in said


async def test_the_command_line_says_in_one_line_what_to_set(stack: Stack, authority: Authority) -> None:
    async with tls_before(stack.broker.port, authority.issue("strange")) as port:
        shell = Shell({"HUIQUN_KAFKA_BOOTSTRAP": f"127.0.0.1:{port}", "HUIQUN_KAFKA_SECURITY_PROTOCOL": "SSL"})
        for command in ("topics list", "topics create", "dead-letters list -s survey"):
            result = await shell.run_command(*command.split())
            assert (result.exit_code, result.stdout) == (2, "")
            assert "HUIQUN_KAFKA_CA_FILE" in result.stderr
            assert len(result.stderr.splitlines()) <= 2


async def test_an_advertised_address_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    """As of a client on the host, whom the broker in its container sends to kafka:9092."""
    nowhere = free_port()
    broker = Tansu(tmp_path, advertise=nowhere)
    await broker.start()
    try:
        publisher = Publisher(KafkaOptions(f"127.0.0.1:{broker.port}", idempotent=False))
        await publisher.start()
        with pytest.raises(MisconfigurationError) as refused:
            await publisher.ping()
        await publisher.stop()
    finally:
        await broker.kill()
    assert f"127.0.0.1:{nowhere}" in str(refused.value)
    assert "advertised.listeners" in str(refused.value)


async def test_a_broker_that_is_away_is_not_taken_for_one_that_refuses() -> None:
    publisher = Publisher(KafkaOptions(f"127.0.0.1:{free_port()}"))
    with pytest.raises(KafkaError) as absence:
        await publisher.start()
    assert not isinstance(absence.value, MisconfigurationError)
