"""Who may be asked, on a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings

from huiqun.contracts.channel import LeaveReason, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import Verdict
from survey.app import INDEXES, ROUTERS, routes
from survey.eligibility.model import ACTIVE_WITHIN, Eligibility, Obstacle
from survey.eligibility.store import FORMER_RECORDS
from tests.directories import carry_over
from tests.inlet import Inlet, every_page, open_inlet, open_interface
from tests.stories import NOON, at, dismissed, joined, left, listed, screened, tellings, updated

SHARED = [HealthCheck.function_scoped_fixture]
DAY = timedelta(days=1)


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOON


@pytest_asyncio.fixture
async def inlet(mongo_url: str, database_name: str) -> AsyncIterator[Inlet]:
    async with open_inlet(mongo_url, database_name, routes, INDEXES, Noon()) as opened:
        yield opened


async def record(inlet: Inlet, key: str = "g1/u1") -> dict[str, Any]:
    return (await inlet.documents("eligibility"))[key]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([joined("g1", "u1"), screened("g1", "u1")], None),
        ([screened("g1", "u1")], None),
        ([joined("g1", "u1")], "silent"),
        ([joined("g1", "u1"), screened("g1", "u1", verdict=Verdict.BLOCK)], "silent"),
        ([screened("g1", "u1", revision=1), joined("g1", "u1")], "silent"),
        ([screened("g1", "u1", -91 * 24 * 60)], "silent"),
        ([screened("g1", "u1"), left("g1", "u1", 1)], "left"),
        ([screened("g1", "u1"), left("g1", "u1", 1, LeaveReason.REMOVED)], "removed"),
        ([screened("g1", "u1"), left("g1", "u1", 1, LeaveReason.REMOVED), joined("g1", "u1", 2)], None),
        ([joined("g1", "u1", role=Role.STAFF), screened("g1", "u1", role=Role.STAFF)], "not_a_customer"),
        ([screened("g1", "u1"), updated("g1", "u1", 1, role=Role.STAFF)], "not_a_customer"),
        ([left("g1", "u1")], "not_a_customer"),
        ([screened("g1", "u1"), dismissed("g1", 1)], "group_dismissed"),
        ([dismissed("g1", 1), screened("g1", "u1")], "group_dismissed"),
        ([screened("g1", "u1"), joined("g1", "u1"), listed("g1", [], 1)], "left"),
        ([screened("g1", "u1"), left("g1", "u1", 1), listed("g1", ["u1"], 2)], None),
    ],
)
async def test_a_record_says_why_somebody_may_not_be_asked(
    inlet: Inlet, events: list[Event], reason: str | None
) -> None:
    for event in events:
        await inlet.deliver([event])
    document = await record(inlet)
    assert document["reason"] == reason
    if reason is None:
        assert document["eligible_until"] == NOON + ACTIVE_WITHIN


async def test_what_was_kept_before_there_was_a_directory_is_carried_over(inlet: Inlet) -> None:
    plain = {"group_id": "g1", "in_group": True, "reason": None, "group_dismissed": False, "role": "customer"}
    former = [
        {"_id": "g1/u1", "member_id": "u1", **plain, "role_at": at(0), "moved_at": at(1)},
        {"_id": "g1/u2", "member_id": "u2", **plain, "role_at": at(0), "moved_at": at(1), "gone": "removed"},
    ]
    await inlet.database["eligibility"].insert_many(former)
    await inlet.database["groups"].insert_one({"_id": "g2", "dismissed": True, "updated_at": at(0)})
    await carry_over(inlet.transactor, inlet.directory, FORMER_RECORDS)
    members = await inlet.members()
    assert (members["g1/u1"].role, members["g1/u1"].is_present) == (Role.CUSTOMER, True)
    assert members["g1/u2"].left_reason is LeaveReason.REMOVED
    await inlet.deliver([screened("g2", "u1"), screened("g1", "u2")])
    documents = await inlet.documents("eligibility")
    assert [documents[key]["reason"] for key in ("g2/u1", "g1/u2")] == ["group_dismissed", "removed"]
    assert not any({"role_at", "moved_at"} & document.keys() for document in documents.values())


async def test_one_group_says_nothing_about_another(inlet: Inlet) -> None:
    await inlet.deliver([screened("g1", "u1"), left("g2", "u1"), dismissed("g3")])
    assert (await record(inlet))["reason"] is None


@pytest.mark.parametrize("nobody", ["unknown", "null", "0", "-", "未知"])
async def test_nobody_is_asked_under_a_placeholder_for_an_id(inlet: Inlet, nobody: str) -> None:
    await inlet.deliver([joined("g1", nobody), screened("g1", nobody), screened("g1", "u1"), left("g1", nobody, 1)])
    assert {document["member_id"] for document in (await inlet.documents("eligibility")).values()} == {"u1"}


def test_eligibility_ends_ninety_days_after_the_last_allowed_message() -> None:
    member = Eligibility("g1", "u1")
    member.role = Role.CUSTOMER
    member.write(Verdict.ALLOW, NOON)
    member.write(Verdict.ALLOW, NOON - DAY)
    assert member.obstacle(NOON + 90 * DAY - timedelta(seconds=1)) is None
    assert member.obstacle(NOON + 90 * DAY) is Obstacle.SILENT


async def test_the_eligibility_of_a_group_is_read_in_pages_as_it_is_now(inlet: Inlet) -> None:
    now = (datetime.now(UTC) - NOON) / timedelta(minutes=1)
    long_ago = now - 100 * 24 * 60
    await inlet.deliver([screened("g1", f"u{n}", long_ago if n == 3 else now - n) for n in range(5)])
    await inlet.deliver([left("g1", "u1", now), screened("g10", "u1", now)])
    async with open_interface(inlet, ROUTERS) as http:
        items = await every_page(http, "/api/v1/groups/g1/eligibility", limit=2)
        assert [item["reason"] for item in items] == [None, "left", None, "silent", None]
        assert [item["eligible"] for item in items] == [True, False, True, False, True]
        assert (await http.get("/api/v1/groups/g10/eligibility/u1")).json()["eligible"]
        assert (await http.get("/api/v1/groups/g1/eligibility/nobody")).status_code == 404


STREAMS: list[list[Event]] = [
    [joined("a", "u1", 1), updated("a", "u1", 2), left("a", "u1", 3), joined("a", "u1", 3)],
    [screened("a", "u1", m, v) for m, v in ((0, Verdict.ALLOW), (2, Verdict.BLOCK), (4, Verdict.ALLOW))],
    [joined("b", "u1", 1), left("b", "u1", 1, LeaveReason.REMOVED), joined("b", "u2", 1), dismissed("b", 5)],
    [screened("b", "u2", 1), screened("b", "u3", 2), screened("b", "u2", 3, revision=1)],
]


@settings(max_examples=12, deadline=None, suppress_health_check=SHARED)
@given(st.data())
async def test_duplicates_and_any_order_between_partitions_lead_to_the_same_records(
    inlet: Inlet, data: st.DataObject
) -> None:
    await inlet.clear()
    for stream in STREAMS:
        await inlet.deliver(stream)
    expected = await inlet.documents("eligibility"), await inlet.members()
    assert {key: document["reason"] for key, document in expected[0].items()} == {
        "a/u1": None,
        "b/u1": "removed",
        "b/u2": "group_dismissed",
        "b/u3": "group_dismissed",
    }
    await inlet.clear()
    for batch in data.draw(tellings(STREAMS)):
        await inlet.deliver(batch)
    assert (await inlet.documents("eligibility"), await inlet.members()) == expected


async def test_who_wrote_last_in_a_batch_of_many_is_kept_for_each(inlet: Inlet) -> None:
    members = [f"u{number}" for number in range(200)]
    await inlet.deliver([screened("g1", member, minute) for minute in (1, 2) for member in members])
    documents = await inlet.documents("eligibility")
    assert {document["wrote_at"] for document in documents.values()} == {at(2)}
    assert len(documents) == 200
