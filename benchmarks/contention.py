"""What requests take from the messages: latency alone, beside scans of the longest texts, beside scrapes."""

import asyncio
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from benchmarks import latency
from benchmarks.figures import Figure, Result, at_most
from benchmarks.latency import Load
from benchmarks.workspace import BenchmarkWorkspace
from huiqun.store import OutsideTransaction
from huiqun.web import create_api_key
from local.ports import LOOPBACK
from local.stack import Stack

MEASUREMENT = "Contention"
RATE = 20
SCANNERS = 8
SCRAPERS = 20
TEXT = ("jiaweixin" * 3_000)[:20_000]
METHOD = (
    "As for latency, at {rate} messages a second and with the API in the same process: alone; "
    "while {scanners} connections of one viewer have texts of "
    "{characters} characters tried without a pause; and while {scrapers} connections ask for /metrics without a pause."
)
_SECONDS = 60.0
_REFUSED_SECONDS = 1.0
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


async def measure(stack: Stack, seconds: float, say: Callable[[str], None]) -> Result:
    """Message latency alone and beside requests."""
    answers: dict[str, Counter[int]] = {"scans": Counter(), "scrapes": Counter()}

    @asynccontextmanager
    async def scanning(laid: BenchmarkWorkspace) -> AsyncIterator[None]:
        key = await create_api_key(OutsideTransaction(laid.database), "scanner", ["viewer"])
        url, headers = f"http://{LOOPBACK}:{laid.api_port}/api/v1/lexicon/scan", {"X-API-Key": key}
        async with _asking(
            SCANNERS, lambda http: http.post(url, json={"text": TEXT}, headers=headers), answers["scans"]
        ):
            yield

    @asynccontextmanager
    async def scraping(laid: BenchmarkWorkspace) -> AsyncIterator[None]:
        url = f"http://{LOOPBACK}:{laid.metrics_port}/metrics"
        async with _asking(SCRAPERS, lambda http: http.get(url), answers["scrapes"]):
            yield

    figures: list[Figure] = []
    for name, beside in (("alone", _nothing), ("beside scans", scanning), ("beside scrapes", scraping)):
        say(name)
        taken = sorted(1000 * each for each in await latency.times(stack, seconds, say, Load(RATE, beside=beside)))
        cuts = statistics.quantiles(taken, n=100)
        figures.append(Figure(f"produce to action {name}, p50", cuts[49], "ms"))
        figures.append(Figure(f"produce to action {name}, p99", cuts[98], "ms", at_most(300)))
    method = METHOD.format(rate=RATE, scanners=SCANNERS, characters=len(TEXT), scrapers=SCRAPERS)
    details = {name: {str(status): count for status, count in each.items()} for name, each in answers.items()}
    return Result(MEASUREMENT, figures, method, details)


@asynccontextmanager
async def _nothing(_: BenchmarkWorkspace) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _asking(connections: int, ask: Ask, answers: Counter[int]) -> AsyncIterator[None]:
    """Ask on so many connections, each as soon as it is answered; who is refused waits a second."""

    async def ask_on() -> None:
        async with httpx.AsyncClient(timeout=_SECONDS) as http:
            while True:
                status = (await ask(http)).status_code
                answers[status] += 1
                if status != httpx.codes.OK:
                    await asyncio.sleep(_REFUSED_SECONDS)

    tasks = [asyncio.create_task(ask_on()) for _ in range(connections)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
