"""Each replica answers for itself: their partitions are disjoint, and nothing is left of one that was killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from huiqun.contracts.topics import CHANNEL_MEMBERS, MODERATION_DECISIONS, PRIVACY_REQUESTS
from huiqun.testing.broker import PARTITIONS
from huiqun.testing.events import member_joined
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from tests.processes import ServiceProcess

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
TOPICS = (CHANNEL_MEMBERS.name, MODERATION_DECISIONS.name, PRIVACY_REQUESTS.name)
PLACES = {(topic, str(number)) for topic in TOPICS for number in range(PARTITIONS)}


async def series_of(replica: ServiceProcess) -> Series:
    """All series of a replica with their values."""
    families = text_string_to_metric_families(await replica.figures())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def lag(series: Series) -> dict[tuple[str, str], float]:
    """The exported lag by topic and partition."""
    found = ((dict(labels), value) for (name, labels), value in series.items() if name == "huiqun_consumer_lag_records")
    return {(labels["topic"], labels["partition"]): value for labels, value in found}


def counters(series: Series) -> Series:
    return {key: value for key, value in series.items() if key[0].endswith(("_total", "_count", "_sum", "_bucket"))}


@pytest_asyncio.fixture
async def survey_database(rig: Rig, database_name: str) -> AsyncIterator[None]:
    yield
    await rig.client.drop_database(f"{database_name}_survey")


@pytest.mark.usefixtures("survey_database")
async def test_replicas_share_the_figures_of_partitions_and_one_that_is_killed_leaves_none(
    rig: Rig, environment: dict[str, str], tmp_path: Path
) -> None:
    first, second = (ServiceProcess("survey", tmp_path, environment) for _ in range(2))

    async def are_shared() -> bool:
        one, other = lag(await series_of(first)), lag(await series_of(second))
        return len(one) == len(other) == len(PLACES) // 2 and one | other == dict.fromkeys(PLACES, 0.0)

    async with second:
        await eventually(second.is_ready)
        await rig.broker.send(*[member_joined(f"g{number % 20}", f"u{number}") for number in range(200)])

        async def has_read_all() -> bool:
            return lag(await series_of(second)) == dict.fromkeys(PLACES, 0.0)

        await eventually(has_read_all)
        async with first:
            await eventually(first.is_ready)
            await eventually(are_shared)
            before = counters(await series_of(second))
            await first.kill()
            await eventually(has_read_all)
        for _ in range(20):
            after = counters(await series_of(second))
            assert [key for key, value in before.items() if after.get(key, -1.0) < value] == []
            before = after
        assert not any(label == "pid" for _, labels in before for label, _ in labels)


async def test_a_process_that_would_share_its_figures_with_others_does_not_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    shared = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    async with ServiceProcess("survey", tmp_path, shared) as service:
        await eventually(lambda: not service.running)
        assert service.exit_code == 2
        assert "PROMETHEUS_MULTIPROC_DIR: unset it" in service.log
