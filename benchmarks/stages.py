"""Where a batch spends its time: the seconds of each stage, from the process's own /metrics."""

from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.figures import Figure, Result
from benchmarks.messages import messages, records
from benchmarks.workspace import MODERATION, open_workspace
from local.ports import LOOPBACK
from local.stack import Stack

MEASUREMENT = "Stages"
METHOD = (
    "seconds by the clock that moderation spent in each stage over {count:,} messages, by its own metric "
    "huiqun_stage_seconds. The lanes overlap, so the stages add up to more than the {seconds:.1f} s the run took."
)
_SECONDS = 120.0


async def measure(stack: Stack, count: int, say: Callable[[str], None]) -> Result:
    """Work through a backlog once more and read the metrics that the process leaves."""
    async with open_workspace(stack) as laid:
        await laid.publish_records(records(messages(count)))
        async with laid.running_child("huiqun", MODERATION), httpx.AsyncClient(timeout=10) as http:
            moments = await laid.wait_until_acknowledged("huiqun.moderation", count, _SECONDS)
            answer = await http.get(f"http://{LOOPBACK}:{laid.metrics_port}/metrics")
    seconds = moments[-1].at - next(moment.at for moment in moments if moment.count)
    spent, batches = _stages(answer.raise_for_status().text)
    say(f"{batches:.0f} batches")
    figures = [Figure(name, value, "s") for name, value in sorted(spent.items(), key=lambda each: -each[1])]
    figures.append(Figure("messages in a batch, on average", count / max(batches, 1), ""))
    return Result(MEASUREMENT, figures, METHOD.format(count=count, seconds=seconds), {"batches": batches})


def _stages(exposed: str) -> tuple[dict[str, float], float]:
    """The seconds by stage, and how many batches there were."""
    spent: dict[str, float] = {}
    batches = 0.0
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples:
            if sample.name == "huiqun_stage_seconds_sum":
                spent[sample.labels["stage"]] = sample.value
            elif sample.name == "huiqun_batch_records_count":
                batches += sample.value
    return spent, batches
