"""Requests of people about their data, carried out by tasks on a real database."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest
import pytest_asyncio

from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.contracts.envelope import Event
from huiqun.contracts.fields import Account, MemberRef
from huiqun.contracts.privacy import AccessRequested, ErasureRequested, Outcome, PersonRequest
from huiqun.privacy.erasure import api, store
from huiqun.privacy.erasure.collecting import read_access_file
from huiqun.privacy.erasure.handlers import REQUEST_EVENTS, SUPPRESSION_DELAY, PersonRequests, claim_access_file
from huiqun.privacy.erasure.holdings import (
    PORTION_SIZE,
    DocumentSet,
    PersonalDataHolding,
    RetentionGround,
    anonymizable_holding,
    erasable_holding,
    retained_holding,
    unsearched_holding,
)
from huiqun.privacy.erasure.model import AccessFileFetchedError, AccessFileNotFoundError, Subject
from huiqun.privacy.suppression import SuppressionList
from huiqun.service.connections import SHARED_INDEXES
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.testing.events import NOON, member_joined
from huiqun.testing.rig import Rig
from huiqun.work import Work

INDEXES = {**SHARED_INDEXES, **DIRECTORY_INDEXES, "notes": (Index((("member_id", 1),)),)}
NOTES = DocumentSet("笔记", "notes", Subject.query, ("text",))
SOON = timedelta(days=10)


@dataclass
class Service:
    """A service that holds notes."""

    rig: Rig

    async def note(self, member_id: str, *texts: str, group_id: str = "g1", **fields: Any) -> None:
        notes = [{"member_id": member_id, "group_id": group_id, "text": text, **fields} for text in texts]
        await self.rig.database["notes"].insert_many(notes)

    async def notes(self) -> list[str]:
        return sorted([each["text"] async for each in self.rig.database["notes"].find()])

    async def ask(self, *events: Event) -> None:
        await self.rig.deliver(*events)

    async def carry_out(self) -> None:
        await self.rig.run_due(SUPPRESSION_DELAY)

    async def outcomes(self, request_id: str = "r1") -> dict[str, tuple[Outcome, str | None, Any]]:
        found = await store.find_request(self.rig.reader, f"erasure/{request_id}")
        assert found is not None
        return {each.what: (each.outcome, each.ground, each.until) for each in found.results}

    async def reference(self) -> str:
        found = await store.find_request(self.rig.reader, "access/r1")
        assert found is not None
        assert found.file is not None
        return found.file.reference

    async def fetch(self) -> list[Any]:
        reference = await self.reference()
        request = await self.rig.transactor.run(lambda work: claim_access_file(work, reference, "key:1"))
        parts = [part async for part in read_access_file(self.rig.reader, self.rig.directory.encryption, request)]
        return [orjson.loads(line) for line in b"".join(parts).splitlines()]


def asked(
    kind: type[ErasureRequested] | type[AccessRequested], *members: str, request_id: str = "r1", **fields: Any
) -> ErasureRequested | AccessRequested:
    refs = tuple(MemberRef(member_id=member) for member in members)
    data = PersonRequest(request_id=request_id, person_id="u1", members=refs, requested_by="key/1", **fields)
    return kind.create("u1", data, time=NOON, source="huiqun/tests")


@pytest_asyncio.fixture
async def holding(request: pytest.FixtureRequest) -> Sequence[PersonalDataHolding]:
    return getattr(request, "param", (erasable_holding(NOTES),))


@pytest_asyncio.fixture
async def service(mongo_url: str, database_name: str, holding: Sequence[PersonalDataHolding]) -> AsyncIterator[Service]:
    async with Rig.open(mongo_url, database_name, INDEXES) as rig:
        requests = PersonRequests("engagement", holding, rig.directory)
        kinds = requests.task_kinds(rig.reader)
        rig.wire(routes=[Route(REQUEST_EVENTS, requests.record_requests)], task_kinds=kinds, routers=[api.router])
        yield Service(rig)


async def test_more_documents_than_a_portion_are_erased_and_no_others(service: Service) -> None:
    await service.note("u1", *(f"note {number}" for number in range(PORTION_SIZE + 1)))
    await service.note("u2", "of another")
    await service.ask(asked(ErasureRequested, "u1"))
    await service.carry_out()
    assert await service.notes() == ["of another"]
    assert await service.outcomes() == {"笔记": (Outcome.ERASED, None, None)}


async def test_erasure_begins_when_everybody_knows_of_it(service: Service) -> None:
    await service.note("u1", "mine")
    await service.ask(asked(ErasureRequested, "u1"))
    await service.rig.run_due()
    assert await service.notes() == ["mine"]
    suppressed = await service.rig.directory.suppression.find_suppressed(service.rig.reader, [Account("channel", "u1")])
    assert list(suppressed) == [Account("channel", "u1")]


async def test_of_whom_nothing_is_held_nothing_is_said_to_be_erased(service: Service) -> None:
    await service.ask(asked(ErasureRequested, "u1"))
    await service.carry_out()
    assert await service.outcomes() == {}
    assert (await store.find_request(service.rig.reader, "erasure/r1")).completed_at is not None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "holding",
    [(retained_holding(NOTES, RetentionGround("证明", "at", "尚未结束", SOON)),)],
    indirect=True,
    ids=["kept"],
)
async def test_what_is_kept_has_its_ground_and_the_latest_date(service: Service) -> None:
    await service.note("u1", "first", at=NOON)
    await service.note("u1", "last", at=NOON + SOON)
    await service.note("u2", "of another", at=NOON + 5 * SOON)
    await service.ask(asked(ErasureRequested, "u1"))
    await service.carry_out()
    assert await service.outcomes() == {"笔记": (Outcome.KEPT, "证明", NOON + 2 * SOON)}
    await service.note("u1", "open")
    await service.ask(asked(ErasureRequested, "u1", request_id="r2"))
    await service.carry_out()
    found = await store.find_request(service.rig.reader, "erasure/r2")
    assert found is not None
    assert [(each.ground, each.until) for each in found.results] == [("证明", NOON + 2 * SOON), ("尚未结束", None)]


@pytest.mark.parametrize(
    "holding",
    [
        (
            anonymizable_holding(NOTES, lambda _, __: {"$set": {"member_id": "erased"}}),
            unsearched_holding("日志", (), "只可追加"),
        )
    ],
    indirect=True,
    ids=["rewritten"],
)
async def test_what_is_others_goes_on_without_the_person(service: Service) -> None:
    await service.note("u1", *(f"note {number:04}" for number in range(PORTION_SIZE)))
    await service.ask(asked(ErasureRequested, "u1"))
    await service.carry_out()
    assert len(await service.notes()) == PORTION_SIZE
    assert await service.rig.database["notes"].count_documents({"member_id": "u1"}) == 0
    assert await service.outcomes() == {
        "笔记": (Outcome.ANONYMISED, None, None),
        "日志": (Outcome.KEPT, "只可追加", None),
    }


async def test_who_goes_by_the_same_id_on_another_channel_is_somebody_else(service: Service) -> None:
    for group, channel in (("g1", "channel"), ("g9", "wecom/another")):
        event = member_joined(group, "u1").model_copy(update={"source": channel})
        await service.rig.transactor.run(partial(service.rig.directory.record_events, events=[event]))
    await service.note("u1", "mine")
    await service.note("u1", "of another", group_id="g9")
    await service.ask(asked(ErasureRequested, "u1"))
    await service.carry_out()
    assert await service.notes() == ["of another"]


async def test_a_request_without_accounts_means_the_member_it_is_about(service: Service) -> None:
    await service.note("u1", "mine")
    await service.ask(asked(ErasureRequested))
    await service.carry_out()
    assert await service.notes() == []


async def test_which_accounts_were_meant_is_forgotten_and_what_was_asked_stays(service: Service) -> None:
    await service.ask(asked(ErasureRequested, "u1", "u2", customer_id="c1", ground="本人申请"))
    await service.carry_out()
    (document,) = await service.rig.database[store.PERSON_REQUESTS].find().to_list(None)
    assert "accounts" not in document
    assert "customer_id" not in document
    assert (document["person_id"], document["ground"], document["state"]) == ("u1", "本人申请", "completed")
    assert "u2" not in str(document)


async def test_the_same_request_is_carried_out_once_and_answered_each_time(service: Service) -> None:
    await service.ask(asked(ErasureRequested, "u1"), asked(ErasureRequested, "u1"))
    await service.ask(asked(ErasureRequested, "u1"))
    await service.carry_out()
    await service.note("u1", "written later")
    await service.ask(asked(ErasureRequested, "u1"))
    await service.carry_out()
    assert await service.notes() == ["written later"]
    assert await service.rig.database["outbox"].count_documents({}) == 2
    log = service.rig.database["audit_log"]
    assert [each["action"] async for each in log.find()] == ["erasure.requested", "erasure.completed"]


async def test_what_is_held_is_collected_in_encrypted_parts_and_fetched_once(service: Service) -> None:
    texts = [f"{number:04} {'长' * 200}" for number in range(1_000)]  # 600 kB: three parts
    await service.note("u1", *texts)
    await service.note("u2", "of another")
    await service.ask(asked(AccessRequested, "u1"))
    await service.carry_out()
    parts = await service.rig.database[store.ACCESS_FILE_PARTS].find().to_list(None)
    assert len(parts) == 3
    assert not any("长".encode() in part["data"] for part in parts)
    heading, *rows = await service.fetch()
    assert heading == {"request_id": "r1", "holdings": ["笔记"]}
    assert sorted(row["data"]["text"] for row in rows) == texts
    with pytest.raises(AccessFileFetchedError):
        await service.fetch()


async def test_a_file_that_has_expired_is_unknown(service: Service) -> None:
    await service.ask(asked(AccessRequested, "u1"))
    await service.carry_out()
    service.rig.clock.moment += timedelta(days=7)
    with pytest.raises(AccessFileNotFoundError):
        await service.fetch()


async def test_a_file_that_was_begun_by_a_process_that_died_is_begun_anew(service: Service) -> None:
    await service.note("u1", "mine")
    await service.ask(asked(AccessRequested, "u1"))
    left = {"request": "access/r1", "number": 0, "data": b"of an attempt before"}
    await service.rig.database[store.ACCESS_FILE_PARTS].insert_one(left)
    await service.carry_out()
    assert [row["data"]["text"] for row in (await service.fetch())[1:]] == ["mine"]


async def test_operators_see_requests_and_only_auditors_fetch_files(service: Service) -> None:
    await service.ask(asked(ErasureRequested, "u1"), asked(AccessRequested, "u1", request_id="r2"))
    await service.carry_out()
    http = await service.rig.http("operator")
    listed = (await http.get("/api/v1/person-requests")).json()["items"]
    assert {(each["kind"], each["state"]) for each in listed} == {("erasure", "completed"), ("access", "completed")}
    only = (await http.get("/api/v1/person-requests?kind=access&limit=1")).json()["items"]
    assert [each["request_id"] for each in only] == ["r2"]
    assert (await http.get("/api/v1/person-requests/erasure/r1")).json()["request_id"] == "r1"
    assert (await http.get("/api/v1/person-requests/access/r1")).status_code == 404
    file = f"/api/v1/person-requests/files/{only[0]['file']['reference']}"
    assert (await http.get(file)).status_code == 403


def test_hashes_of_accounts_tell_nothing_without_the_key() -> None:
    account = Account("channel", "u1")
    hashes = {SuppressionList(key).hash_account(account) for key in (b"one", b"another")}
    assert len(hashes) == 2
    assert SuppressionList(b"one").hash_account(Account("channel", "u2")) not in hashes
    assert not any("u1" in each for each in hashes)


async def test_of_two_erasures_the_later_counts(service: Service) -> None:
    suppression, accounts = service.rig.directory.suppression, [Account("channel", "u1")]

    async def add(work: Work) -> None:
        for at in (NOON + SOON, NOON):
            await suppression.suppress_accounts(work, accounts, at)

    await service.rig.transactor.run(add)
    assert await suppression.find_suppressed(service.rig.reader, accounts) == {accounts[0]: NOON + SOON}
