"""How often anybody may ask, and how much of the processor they get for it."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from huiqun.web import Problem, RateLimits, ServerOptions
from huiqun.web.compute import ComputeQueue
from huiqun.web.limits import RateLimiter, client_network_of
from tests.common.web.conftest import running

WRONG = {"X-API-Key": "hq_0000000000000000_wrong"}
Names = tuple[str, str]


@pytest.fixture
def names(mongo_url: str, database_name: str) -> Names:
    return mongo_url, database_name


def is_refused(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"
    return True


async def test_a_caller_beyond_the_limit_is_told_when_to_come_back_and_others_go_on(names: Names) -> None:
    async with running(*names, limits=RateLimits(caller=3)) as service:
        busy, quiet = await service.as_role("viewer"), await service.as_role("viewer")
        answers = [await service.http.get("/api/v1/notes", headers=busy) for _ in range(5)]
        assert [answer.status_code for answer in answers[:3]] == [200] * 3
        assert is_refused(answers[4])
        assert answers[4].json()["type"] == "urn:huiqun:problem:too-many-requests"
        assert (await service.http.get("/api/v1/notes", headers=quiet)).status_code == 200


async def test_a_route_that_asks_for_two_roles_counts_a_request_once(names: Names) -> None:
    async with running(*names, limits=RateLimits(caller=3)) as service:
        headers = await service.as_role("operator")
        for number in range(3):
            keyed = {**headers, "Idempotency-Key": f"k{number}"}
            assert (await service.http.post("/api/v1/notes/count", headers=keyed)).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/api/v1/notes", {}), ("/api/v1/notes", WRONG), ("/nowhere", {}), ("/nowhere", WRONG), ("/page", {})],
)
async def test_requests_without_a_valid_credential_count_against_the_address(
    names: Names, path: str, headers: dict[str, str]
) -> None:
    async with running(*names, limits=RateLimits(address=3)) as service:
        known = await service.as_role("viewer")
        assert (await service.http.get("/api/v1/notes", headers=known)).status_code == 200
        answers = [await service.http.get(path, headers=headers) for _ in range(5)]
        assert not any(map(is_refused, answers[:3]))
        assert is_refused(answers[4])
        # Who was known before does not suffer from strangers behind the same address, nor do probes.
        assert (await service.http.get("/api/v1/notes", headers=known)).status_code == 200
        assert (await service.http.get("/healthz")).status_code == 200
        assert (await service.http.get("/readyz")).status_code == 200


async def test_a_members_link_has_a_limit_of_its_own(names: Names) -> None:
    async with running(*names, limits=RateLimits(link=2, page=4)) as service:
        first = [await service.http.get("/page", params={"token": "one"}) for _ in range(3)]
        assert [answer.status_code for answer in first] == [200, 200, 429]
        assert (await service.http.get("/page", params={"token": "two"})).status_code == 200
        assert is_refused(await service.http.get("/page", params={"token": "three"}))


async def test_a_stranger_may_send_little_and_a_caller_more(service: Any) -> None:
    large = b'"' + b"x" * 20_000 + b'"'
    assert (await service.http.post("/page", content=large)).status_code == 413
    answer = await service.http.post("/api/v1/notes/import", content=large, headers=await service.as_role("viewer"))
    assert answer.status_code == 200


@pytest.mark.parametrize(("trusted", "refused"), [((), True), (("127.0.0.0/8",), False), (("10.0.0.1",), True)])
async def test_a_forwarded_address_counts_only_from_a_proxy_that_is_trusted(
    names: Names, trusted: tuple[str, ...], refused: bool
) -> None:
    server = ServerOptions(trusted_proxies=trusted)
    async with running(*names, limits=RateLimits(address=3), server=server) as service:
        answers = [
            await service.http.get("/api/v1/notes", headers={"X-Forwarded-For": f"192.0.2.{number}"})
            for number in range(5)
        ]
        assert is_refused(answers[4]) is refused


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("<script>", "unknown"),
    ],
)
def test_an_address_is_what_one_subscriber_has(client: str, address: str) -> None:
    assert client_network_of({"client": (client, 1)}) == address


def test_strangers_with_many_addresses_take_no_more_memory() -> None:
    limiter = RateLimiter(RateLimits())
    for number in range(12_000):
        limiter.count_stranger(f"{number}")
        limiter.count_page(f"{number}", f"{number}")
    for counter in (limiter._addresses, limiter._pages, limiter._links):
        assert len(counter._store._backend._client) == 10_000  # type: ignore[attr-defined]


class Bench:
    """Work that lasts until the test lets it end, and notes in which order it was done."""

    def __init__(self) -> None:
        self.room = ComputeQueue()
        self.may_end = threading.Event()
        self.done: list[str] = []

    def begin(self, who: str, name: str = "") -> "asyncio.Task[None]":
        def work() -> None:
            assert self.may_end.wait(30)
            self.done.append(name or who)

        return asyncio.create_task(self.room.run(who, work))


async def test_work_is_done_one_after_the_other_and_callers_take_turns() -> None:
    bench = Bench()
    tasks = [bench.begin("a", f"a{number}") for number in range(4)] + [bench.begin("b")]
    await asyncio.sleep(0)
    bench.may_end.set()
    await asyncio.gather(*tasks)
    assert bench.done == ["a0", "b", "a1", "a2", "a3"]


async def test_who_waits_for_much_already_is_refused_and_so_are_all_when_the_room_is_full() -> None:
    bench = Bench()
    tasks = [bench.begin("a") for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await bench.begin("a")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    tasks += [bench.begin(who) for who in "bcd" for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as full:
        await bench.begin("e")
    assert (full.value.status, full.value.kind, full.value.headers) == (503, "busy", {"Retry-After": "1"})
    bench.may_end.set()
    await asyncio.gather(*tasks)
    await bench.begin("a")  # there is room again


async def test_an_error_of_the_work_is_the_callers_and_leaves_room() -> None:
    room = ComputeQueue()

    def fail() -> None:
        raise TimeoutError("of the work itself")

    for _ in range(10):
        with pytest.raises(TimeoutError, match="of the work"):
            await room.run("a", fail)
