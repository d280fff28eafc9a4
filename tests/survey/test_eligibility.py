"""Who may be asked, on a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from huiqun.contracts.channel import LeaveReason, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import Verdict
from huiqun.testing.events import (
    NOON,
    group_dismissed,
    group_listed,
    member_joined,
    member_left,
    member_updated,
    message_screened,
    minutes_after_noon,
)
from huiqun.testing.http import list_all_pages
from huiqun.testing.rig import Rig
from survey.eligibility.model import ACTIVE_WITHIN, Eligibility, Obstacle
from survey.eligibility.store import FORMER_RECORDS
from tests.delivery_orders import delivery_orders
from tests.directories import carry_over

SHARED = [HealthCheck.function_scoped_fixture]
DAY = timedelta(days=1)


async def record(rig: Rig, key: str = "g1/u1") -> dict[str, Any]:
    return await rig.document("eligibility", key)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([member_joined("g1", "u1"), message_screened("g1", "u1")], None),
        ([message_screened("g1", "u1")], None),
        ([member_joined("g1", "u1")], "silent"),
        ([member_joined("g1", "u1"), message_screened("g1", "u1", verdict=Verdict.BLOCK)], "silent"),
        ([message_screened("g1", "u1", revision=1), member_joined("g1", "u1")], "silent"),
        ([message_screened("g1", "u1", -91 * 24 * 60)], "silent"),
        ([message_screened("g1", "u1"), member_left("g1", "u1", 1)], "left"),
        ([message_screened("g1", "u1"), member_left("g1", "u1", 1, LeaveReason.REMOVED)], "removed"),
        (
            [
                message_screened("g1", "u1"),
                member_left("g1", "u1", 1, LeaveReason.REMOVED),
                member_joined("g1", "u1", 2),
            ],
            None,
        ),
        ([member_joined("g1", "u1", role=Role.STAFF), message_screened("g1", "u1", role=Role.STAFF)], "not_a_customer"),
        ([message_screened("g1", "u1"), member_updated("g1", "u1", 1, role=Role.STAFF)], "not_a_customer"),
        ([member_left("g1", "u1")], "not_a_customer"),
        ([message_screened("g1", "u1"), group_dismissed("g1", 1)], "group_dismissed"),
        ([group_dismissed("g1", 1), message_screened("g1", "u1")], "group_dismissed"),
        ([message_screened("g1", "u1"), member_joined("g1", "u1"), group_listed("g1", [], 1)], "left"),
        ([message_screened("g1", "u1"), member_left("g1", "u1", 1), group_listed("g1", ["u1"], 2)], None),
    ],
)
async def test_a_record_says_why_somebody_may_not_be_asked(rig: Rig, events: list[Event], reason: str | None) -> None:
    for event in events:
        await rig.deliver(event)
    document = await record(rig)
    assert document["reason"] == reason
    if reason is None:
        assert document["eligible_until"] == NOON + ACTIVE_WITHIN


async def test_what_was_kept_before_there_was_a_directory_is_carried_over(rig: Rig) -> None:
    plain = {"group_id": "g1", "in_group": True, "reason": None, "group_dismissed": False, "role": "customer"}
    former = [
        {
            "_id": "g1/u1",
            "member_id": "u1",
            **plain,
            "role_at": minutes_after_noon(0),
            "moved_at": minutes_after_noon(1),
        },
        {
            "_id": "g1/u2",
            "member_id": "u2",
            **plain,
            "role_at": minutes_after_noon(0),
            "moved_at": minutes_after_noon(1),
            "gone": "removed",
        },
    ]
    await rig.database["eligibility"].insert_many(former)
    await rig.database["groups"].insert_one({"_id": "g2", "dismissed": True, "updated_at": minutes_after_noon(0)})
    await carry_over(rig.transactor, rig.directory, FORMER_RECORDS)
    members = await rig.members()
    assert (members["g1/u1"].role, members["g1/u1"].is_present) == (Role.CUSTOMER, True)
    assert members["g1/u2"].left_reason is LeaveReason.REMOVED
    await rig.deliver(message_screened("g2", "u1"), message_screened("g1", "u2"))
    assert [(await record(rig, key))["reason"] for key in ("g2/u1", "g1/u2")] == ["group_dismissed", "removed"]
    assert not any({"role_at", "moved_at"} & document.keys() for document in await rig.documents("eligibility"))


async def test_one_group_says_nothing_about_another(rig: Rig) -> None:
    await rig.deliver(message_screened("g1", "u1"), member_left("g2", "u1"), group_dismissed("g3"))
    assert (await record(rig))["reason"] is None


@pytest.mark.parametrize("nobody", ["unknown", "null", "0", "-", "未知"])
async def test_nobody_is_asked_under_a_placeholder_for_an_id(rig: Rig, nobody: str) -> None:
    await rig.deliver(
        member_joined("g1", nobody),
        message_screened("g1", nobody),
        message_screened("g1", "u1"),
        member_left("g1", nobody, 1),
    )
    assert {document["member_id"] for document in await rig.documents("eligibility")} == {"u1"}


def test_eligibility_ends_ninety_days_after_the_last_allowed_message() -> None:
    member = Eligibility("g1", "u1")
    member.role = Role.CUSTOMER
    member.record_message(Verdict.ALLOW, NOON)
    member.record_message(Verdict.ALLOW, NOON - DAY)
    assert member.obstacle(NOON + 90 * DAY - timedelta(seconds=1)) is None
    assert member.obstacle(NOON + 90 * DAY) is Obstacle.SILENT


async def test_the_eligibility_of_a_group_is_read_in_pages_as_it_is_now(rig: Rig) -> None:
    now = (datetime.now(UTC) - NOON) / timedelta(minutes=1)
    long_ago = now - 100 * 24 * 60
    await rig.deliver(*[message_screened("g1", f"u{n}", long_ago if n == 3 else now - n) for n in range(5)])
    await rig.deliver(member_left("g1", "u1", now), message_screened("g10", "u1", now))
    http = await rig.http("operator")
    items = await list_all_pages(http, "/api/v1/groups/g1/eligibility", limit=2)
    assert [item["reason"] for item in items] == [None, "left", None, "silent", None]
    assert [item["eligible"] for item in items] == [True, False, True, False, True]
    assert (await http.get("/api/v1/groups/g10/eligibility/u1")).json()["eligible"]
    assert (await http.get("/api/v1/groups/g1/eligibility/nobody")).status_code == 404


STREAMS: list[list[Event]] = [
    [member_joined("a", "u1", 1), member_updated("a", "u1", 2), member_left("a", "u1", 3), member_joined("a", "u1", 3)],
    [message_screened("a", "u1", m, v) for m, v in ((0, Verdict.ALLOW), (2, Verdict.BLOCK), (4, Verdict.ALLOW))],
    [
        member_joined("b", "u1", 1),
        member_left("b", "u1", 1, LeaveReason.REMOVED),
        member_joined("b", "u2", 1),
        group_dismissed("b", 5),
    ],
    [message_screened("b", "u2", 1), message_screened("b", "u3", 2), message_screened("b", "u2", 3, revision=1)],
]


@settings(max_examples=12, deadline=None, suppress_health_check=SHARED)
@given(st.data())
async def test_duplicates_and_any_order_between_partitions_lead_to_the_same_records(
    rig: Rig, data: st.DataObject
) -> None:
    await rig.clear()
    for stream in STREAMS:
        await rig.deliver(*stream)
    expected = await rig.documents("eligibility"), await rig.members()
    assert {document["_id"]: document["reason"] for document in expected[0]} == {
        "a/u1": None,
        "b/u1": "removed",
        "b/u2": "group_dismissed",
        "b/u3": "group_dismissed",
    }
    await rig.clear()
    for batch in data.draw(delivery_orders(STREAMS)):
        await rig.deliver(*batch)
    assert (await rig.documents("eligibility"), await rig.members()) == expected


async def test_who_wrote_last_in_a_batch_of_many_is_kept_for_each(rig: Rig) -> None:
    members = [f"u{number}" for number in range(200)]
    await rig.deliver(*[message_screened("g1", member, minute) for minute in (1, 2) for member in members])
    documents = await rig.documents("eligibility")
    assert {document["wrote_at"] for document in documents} == {minutes_after_noon(2)}
    assert len(documents) == 200
