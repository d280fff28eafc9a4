"""Activity of members, on a real database."""

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from engagement.audience.model import ACTIVITY_RETENTION_DAYS
from engagement.audience.store import FORMER_RECORDS
from huiqun.channel.directory.store import find_group
from huiqun.contracts.channel import Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import Verdict
from huiqun.testing.events import (
    NOON,
    group_created,
    group_listed,
    member_joined,
    member_left,
    member_updated,
    message_screened,
    minutes_after_noon,
)
from huiqun.testing.http import list_all_pages
from huiqun.testing.rig import Rig
from tests.delivery_orders import delivery_orders
from tests.directories import carry_over

SHARED = [HealthCheck.function_scoped_fixture]


async def activity(rig: Rig, key: str) -> dict[str, Any]:
    return await rig.document("activity", key)


async def test_allowed_messages_are_activity_and_others_are_only_counted_by_verdict(rig: Rig) -> None:
    verdicts = [Verdict.ALLOW, Verdict.BLOCK, Verdict.ALLOW, Verdict.WARN, Verdict.REVIEW]
    await rig.deliver(*[message_screened("g1", "u1", minute, verdict) for minute, verdict in enumerate(verdicts)])
    document = await activity(rig, "g1/u1")
    assert document["days"] == {"2026-11-22": 2}
    assert document["verdicts"] == {"allow": 2, "block": 1, "review": 1, "warn": 1}
    assert (document["first_seen"], document["last_seen"]) == (minutes_after_noon(0), minutes_after_noon(4))


async def test_edits_count_nothing(rig: Rig) -> None:
    await rig.deliver(message_screened("g1", "u1", 1), message_screened("g1", "u1", 2, revision=1))
    document = await activity(rig, "g1/u1")
    assert document["days"] == {"2026-11-22": 1}
    assert document["last_seen"] == minutes_after_noon(1)


async def test_a_day_ends_at_midnight_of_the_groups_time_zone(rig: Rig) -> None:
    evening: dict[str, Any] = {"sent_at": NOON.replace(hour=15, minute=59)}
    night: dict[str, Any] = {"sent_at": NOON.replace(hour=16, minute=1)}
    await rig.deliver(group_created("shanghai"), group_created("london", timezone="Europe/London"))
    for group in ("shanghai", "london", "never-told-of"):
        await rig.deliver(*[message_screened(group, "u1", 1000, **moment) for moment in (evening, night)])
    assert (await activity(rig, "shanghai/u1"))["days"] == {"2026-11-22": 1, "2026-11-23": 1}
    assert (await activity(rig, "london/u1"))["days"] == {"2026-11-22": 2}
    assert (await activity(rig, "never-told-of/u1"))["days"] == {"2026-11-22": 1, "2026-11-23": 1}


async def test_only_the_latest_days_are_kept(rig: Rig) -> None:
    day = 24 * 60
    await rig.deliver(*[message_screened("g1", "u1", day * number) for number in (0, ACTIVITY_RETENTION_DAYS - 1)])
    assert len((await activity(rig, "g1/u1"))["days"]) == 2
    await rig.deliver(message_screened("g1", "u1", day * ACTIVITY_RETENTION_DAYS), message_screened("g1", "u1", 0))
    kept = (await activity(rig, "g1/u1"))["days"]
    assert min(kept) == (NOON + timedelta(days=ACTIVITY_RETENTION_DAYS - 1)).date().isoformat()
    assert len(kept) == 2


async def test_a_message_from_the_future_counts_when_it_was_judged(rig: Rig) -> None:
    await rig.deliver(message_screened("g1", "u1", 5, sent_at=NOON.replace(year=2099)))
    document = await activity(rig, "g1/u1")
    assert document["last_seen"] == minutes_after_noon(5)
    assert list(document["days"]) == ["2026-11-22"]


@pytest.mark.parametrize("nobody", ["unknown", "null", "0", "-", "未知"])
async def test_what_strangers_do_under_a_placeholder_is_no_member_s_activity(rig: Rig, nobody: str) -> None:
    await rig.deliver(
        member_joined("g1", nobody),
        message_screened("g1", nobody),
        message_screened("g1", "u1"),
        member_left("g1", nobody, 1),
    )
    assert {document["member_id"] for document in await rig.documents("activity")} == {"u1"}


async def test_comings_and_goings_are_noted(rig: Rig) -> None:
    await rig.deliver(member_joined("g1", "u1", 1, role=Role.STAFF), message_screened("g1", "u2", 1))
    member = (await rig.members())["g1/u1"]
    assert (member.is_present, member.joined_at, member.role) == (True, minutes_after_noon(1), Role.STAFF)
    assert (await rig.members())["g1/u2"].is_present, "who writes is in the group"
    await rig.deliver(member_left("g1", "u1", 2), message_screened("g1", "u1", 1.5, role=Role.STAFF))
    member = (await rig.members())["g1/u1"]
    assert (member.is_present, member.left_at, member.role) == (False, minutes_after_noon(2), Role.STAFF)
    assert (await activity(rig, "g1/u1"))["gone_since"] == minutes_after_noon(2), (
        "it goes when the directory forgets them"
    )
    await rig.deliver(member_joined("g1", "u1", 3))
    member = (await rig.members())["g1/u1"]
    assert (member.is_present, member.joined_at, member.last_left_at) == (
        True,
        minutes_after_noon(3),
        minutes_after_noon(2),
    )
    assert (await activity(rig, "g1/u1"))["gone_since"] is None


async def test_a_listing_says_who_has_come_and_gone_unheard(rig: Rig) -> None:
    await rig.deliver(
        member_joined("g1", "u1", 1), message_screened("g1", "u1", 2), group_listed("g1", ["u2", "unknown"], 5)
    )
    http = await rig.http("operator")
    first, second = await list_all_pages(http, "/api/v1/groups/g1/activity", limit=2)
    assert (first["member_id"], first["present"], first["days"]) == ("u1", False, {"2026-11-22": 1})
    assert (second["member_id"], second["present"], second["days"]) == ("u2", True, {})
    assert (await activity(rig, "g1/u1"))["gone_since"] == minutes_after_noon(1)


async def test_what_was_kept_before_there_was_a_directory_is_carried_over(rig: Rig) -> None:
    moments = {"first_seen": minutes_after_noon(0), "last_seen": minutes_after_noon(4)}
    plain = {"group_id": "g1", "days": {"2026-11-22": 1}, "verdicts": {"allow": 1}, **moments}
    stays = {
        "role": "staff",
        "role_at": minutes_after_noon(1),
        "present": True,
        "joined_at": minutes_after_noon(1),
        "left_at": minutes_after_noon(0),
    }
    leaves = {"role": "customer", "role_at": minutes_after_noon(1), "present": False, "left_at": minutes_after_noon(3)}
    former = [
        {"_id": f"g1/u{number}", "member_id": f"u{number}", **plain, **known}
        for number, known in enumerate((stays, leaves, leaves), 1)
    ]
    await rig.database["activity"].insert_many(former)
    await rig.database["groups"].insert_one(
        {"_id": "g1", "timezone": "Europe/London", "updated_at": minutes_after_noon(0)}
    )
    await rig.deliver(member_joined("g1", "u2", 4))
    await carry_over(rig.transactor, rig.directory, FORMER_RECORDS)
    group = await find_group(rig.reader, "g1")
    assert group is not None
    assert group.profile.timezone == "Europe/London"
    members = await rig.members()
    came, back, gone = (members[f"g1/u{number}"] for number in (1, 2, 3))
    assert (came.role, came.joined_at, came.is_present) == (Role.STAFF, minutes_after_noon(1), True)
    assert (back.joined_at, back.last_left_at, back.is_present) == (minutes_after_noon(4), minutes_after_noon(3), True)
    assert (gone.left_at, gone.is_present) == (minutes_after_noon(3), False)
    documents = await rig.documents("activity")
    assert not any({"role", "joined_at", "left_at"} & document.keys() for document in documents)
    assert [document.get("gone_since") for document in documents] == [None, None, minutes_after_noon(3)]


async def test_the_activity_of_a_group_is_read_in_pages_and_does_not_mix_with_another_groups(rig: Rig) -> None:
    await rig.deliver(*[message_screened(group, f"u{n}", n) for group in ("g1", "g10", "g1-a", "g") for n in range(5)])
    http = await rig.http("operator")
    items = await list_all_pages(http, "/api/v1/groups/g1/activity", limit=2)
    assert [item["member_id"] for item in items] == [f"u{n}" for n in range(5)]
    assert items[0]["days"] == {"2026-11-22": 1}
    assert await list_all_pages(http, "/api/v1/groups/unknown/activity", limit=2) == []
    one = (await http.get("/api/v1/groups/g10/activity/u3")).json()
    assert (one["member_id"], one["verdicts"], one["present"]) == ("u3", {"allow": 1}, True)
    assert (await http.get("/api/v1/groups/g1/activity/nobody")).status_code == 404


STREAMS: list[list[Event]] = [
    [
        member_joined("a", "u1", 1),
        member_updated("a", "u1", 2, role=Role.STAFF),
        member_left("a", "u1", 3),
        member_joined("a", "u1", 3),
    ],
    [message_screened("a", "u1", m, v) for m, v in ((0, Verdict.ALLOW), (2, Verdict.BLOCK), (4, Verdict.ALLOW))],
    [member_left("b", "u1", 2), member_joined("b", "u2", 1), member_left("b", "u2", 1)],
    [
        message_screened("b", "u1", minute, revision=revision)
        for minute, revision in ((1, 0), (2, 1), (100_000, 0), (3, 0))
    ],
]


@settings(max_examples=12, deadline=None, suppress_health_check=SHARED)
@given(st.data())
async def test_duplicates_and_any_order_between_partitions_lead_to_the_same_activity(
    rig: Rig, data: st.DataObject
) -> None:
    await rig.clear()
    for stream in STREAMS:
        await rig.deliver(*stream)
    expected = await rig.documents("activity"), await rig.members()
    assert len(expected[0]) == 3
    await rig.clear()
    for batch in data.draw(delivery_orders(STREAMS)):
        await rig.deliver(*batch)
    assert (await rig.documents("activity"), await rig.members()) == expected
