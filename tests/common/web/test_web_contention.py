"""Many who change one thing at the same time: each change counts, and nobody is told that the store is away."""

import asyncio
from typing import Any

from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.store import connect, transaction
from huiqun.work import Transactor, Work
from huiqun.work.transactor import TransactorOptions
from tests.common.web.conftest import running

AT_ONCE = 50


async def count(service: Any, headers: dict[str, str], number: int) -> Any:
    keyed = {**headers, "Idempotency-Key": f"k{number}"}
    return await service.http.post("/api/v1/notes/count", headers=keyed, timeout=100)


async def test_fifty_requests_and_a_consumer_change_one_document_and_all_of_it_counts(service: Any) -> None:
    consumer = Transactor(
        service.db.client, service.db, Publisher(KafkaOptions("nowhere")), SystemClock(), TransactorOptions(100)
    )

    async def consume(work: Work) -> None:
        change = {"$inc": {"weight": 1}}
        await work.collection("counters").update_one({"_id": "counter"}, change, upsert=True)

    async def consume_one_after_the_other() -> None:
        for _ in range(AT_ONCE):
            await consumer.run(consume)

    headers = await service.as_role("operator")
    requests = [count(service, headers, number) for number in range(AT_ONCE)]
    *answers, _ = await asyncio.gather(*requests, consume_one_after_the_other())
    assert {answer.status_code for answer in answers} == {200}
    assert (await service.db["counters"].find_one({}))["weight"] == 2 * AT_ONCE


async def test_of_many_who_saw_the_same_version_one_succeeds_and_the_others_are_stale(service: Any) -> None:
    headers = await service.as_role("operator")
    note = {"id": "n1", "text": "你好"}
    created = await service.http.post("/api/v1/notes", json=note, headers={**headers, "Idempotency-Key": "k"})
    seen = {**headers, "If-Match": created.headers["etag"]}
    answers = await asyncio.gather(
        *(
            service.http.put("/api/v1/notes/n1", json=note, headers={**seen, "Idempotency-Key": f"k{number}"})
            for number in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19


async def test_contention_that_does_not_end_is_told_apart_from_an_outage(mongo_url: str, database_name: str) -> None:
    client = connect(mongo_url)
    async with running(mongo_url, database_name, request_seconds=0.2) as service:
        headers = await service.as_role("operator")
        async with transaction(client) as session:
            await client[database_name]["counters"].insert_one({"_id": "counter", "weight": 1}, session=session)
            answer = await count(service, headers, 1)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:huiqun:problem:busy")
        assert answer.headers["retry-after"] == "1"
        assert (await count(service, headers, 1)).json()["weight"] == 2
    await client.close()
