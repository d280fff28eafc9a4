"""`huiqun topics` on a real broker, and what it says where there is none."""

import pytest

from huiqun.contracts.topics import TOPICS
from local.ports import free_port
from local.stack import Stack
from tests.shell import Shell


@pytest.fixture
def shell(stack: Stack, topic_prefix: str) -> Shell:
    return Shell({**stack.environment, "HUIQUN_TOPIC_PREFIX": topic_prefix})


async def test_topics_are_created_once_and_listed_with_owner_key_and_partitions(shell: Shell) -> None:
    assert (await shell.run_successfully("topics", "list")).count("missing") == len(TOPICS)
    created = await shell.run_successfully("topics", "create", "--partitions", "3")
    assert f"{len(TOPICS)} created, 0 existed" in created
    assert f"0 created, {len(TOPICS)} existed" in await shell.run_successfully("topics", "create")
    listed = await shell.run_successfully("topics", "list")
    row = next(line for line in listed.splitlines() if "crm.events.v1" in line)
    assert [cell.strip() for cell in row.split("│")[2:-1]] == ["crm-sync", "customer id", "7 days", "3"]
    assert "missing" not in listed


@pytest.mark.parametrize("command", ["topics create", "topics list", "dead-letters list -s survey"])
async def test_a_broker_that_is_away_is_named_in_one_message_without_a_traceback(command: str) -> None:
    bootstrap = f"127.0.0.1:{free_port()}"
    result = await Shell({"HUIQUN_KAFKA_BOOTSTRAP": bootstrap}).run_command(*command.split())
    assert result.exit_code == 2
    assert f"Kafka at {bootstrap}" in result.stderr
    assert "HUIQUN_KAFKA_BOOTSTRAP" in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


async def test_settings_that_are_wrong_are_named() -> None:
    result = await Shell({"HUIQUN_MAX_BATCH": "many"}).run_command("topics", "list")
    assert result.exit_code == 2
    assert "HUIQUN_MAX_BATCH" in result.stderr


@pytest.mark.parametrize("command", [(), ("topics",), ("topics", "create", "--partitions", "0"), ("nothing",)])
async def test_wrong_usage_ends_with_2(command: tuple[str, ...]) -> None:
    assert (await Shell({}).run_command(*command)).exit_code == 2


@pytest.mark.parametrize("noun", ["topics", "dead-letters", "audit", "api-keys", "schemas"])
async def test_every_command_explains_itself(noun: str) -> None:
    assert noun in await Shell({}).run_successfully("--help")
    assert "--help" in await Shell({}).run_successfully(noun, "--help")
