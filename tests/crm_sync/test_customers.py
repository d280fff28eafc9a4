"""Customers and their ids, on a real database."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from crm_sync.customers.model import MAX_ID_BEARERS, parse_external_ids
from crm_sync.customers.store import FORMER_RECORDS, MEMBERS, list_customers, list_memberships
from huiqun.contracts.channel import ListedMember, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import Verdict
from huiqun.testing.events import (
    group_listed,
    member_joined,
    member_left,
    member_updated,
    message_screened,
    minutes_after_noon,
)
from huiqun.testing.rig import Rig
from tests.delivery_orders import delivery_orders
from tests.directories import carry_over

SHARED = [HealthCheck.function_scoped_fixture]
UNION = {"unionid": "union-1"}
OTHER_UNION = {"unionid": "union-2"}
EXTERNAL = {"external_userid": "wm-1"}
CORP, OTHER_CORP = "wecom/corp-a", "wecom/corp-b"


class Person(NamedTuple):
    """What is known of a customer."""

    groups: list[str]
    display_name: str
    first_seen: datetime | None
    last_seen: datetime | None


async def people(rig: Rig, group_id: str | None = None) -> dict[str, set[str]]:
    """The member ids of each customer, under the strongest id."""
    found = {}
    for customer in await list_customers(rig.reader, group_id, "", 10_000):
        found[customer.ids[0].value] = {member.member_id for member in customer.members}
    return found


async def one_person(rig: Rig) -> Person:
    """The only customer, and what the directory says of them."""
    (customer,) = await list_customers(rig.reader, None, "", 10)
    memberships = (await list_memberships(rig.reader, [customer]))[customer.id]
    groups = sorted({member.group_id for member in memberships if member.is_present})
    return Person(groups, await rig.directory.find_display_name(memberships), customer.first_seen, customer.last_seen)


def of(source: str, event: Event) -> Event:
    """The event, from another channel."""
    return event.model_copy(update={"source": source})


async def test_a_customer_is_known_by_the_strongest_id(rig: Rig) -> None:
    ids = UNION | EXTERNAL
    await rig.deliver(member_joined("g1", "u1", 1, external_ids=ids, display_name="王女士"))
    await rig.deliver(
        member_joined("g1", "u2", 1, external_ids={"external_userid": "wm-2"}), message_screened("g1", "u3", 2)
    )
    assert await people(rig) == {"union-1": {"u1"}, "wm-2": {"u2"}, "u3": {"u3"}}


async def test_one_unionid_in_two_groups_is_one_customer(rig: Rig) -> None:
    await rig.deliver(member_joined("g1", "u1", 1, external_ids=UNION, display_name="王"))
    await rig.deliver(
        member_joined("g2", "u2", 2, external_ids=UNION, display_name="王女士"), message_screened("g1", "u1", 3)
    )
    assert await one_person(rig) == Person(["g1", "g2"], "王女士", minutes_after_noon(1), minutes_after_noon(3))


async def test_stubs_become_one_when_it_turns_out_that_they_are_one_person(rig: Rig) -> None:
    await rig.deliver(message_screened("g1", "u1", 5), message_screened("g2", "u2", 1))
    assert len(await people(rig)) == 2
    await rig.deliver(member_updated("g1", "u1", 6, external_ids=EXTERNAL))
    await rig.deliver(member_joined("g2", "u2", 7, external_ids=EXTERNAL | UNION))
    assert await one_person(rig) == Person(["g1", "g2"], "", minutes_after_noon(1), minutes_after_noon(7))


async def test_staff_and_bots_are_no_customers(rig: Rig) -> None:
    await rig.deliver(member_joined("g1", "s1", role=Role.STAFF), message_screened("g1", "b1", role=Role.BOT))
    assert await people(rig) == {}
    await rig.deliver(member_left("g1", "s1", 1))
    assert await people(rig) == {}, "a departure does not say what its member was"


async def test_who_left_a_group_is_not_in_it_but_stays_a_customer(rig: Rig) -> None:
    await rig.deliver(
        member_joined("g1", "u1", 1),
        member_joined("g2", "u1", 1),
        member_left("g1", "u1", 2),
        message_screened("g1", "u1", 1.5),
    )
    assert (await one_person(rig)).groups == ["g2"]


async def test_blocked_messages_show_the_customer_too_but_no_text_is_kept(rig: Rig) -> None:
    await rig.deliver(message_screened("g1", "u1", 1, Verdict.BLOCK))
    (customer,) = await list_customers(rig.reader, None, "", 10)
    assert customer.last_seen == minutes_after_noon(1)
    assert "您好" not in str(await rig.documents("members"))


NOBODY = """
unknown UNKNOWN 0 000000 null None - -- _ N/A undefined nan nil empty none 未知 无 暂无 匿名用户 no-unionid ｎｕｌｌ
"""
NO_IDS = ["", " ", "two words", "a/b", "x" * 129, "a\x00b", "a\u200bbcde", "x", "aaaaaaaa", "12345", *NOBODY.split()]


async def test_strangers_under_an_external_id_that_names_nobody_stay_strangers(rig: Rig) -> None:
    for number, useless in enumerate(NO_IDS):
        said = {"unionid": useless, "external_userid": useless, "phone": "13800000000"}
        assert not list(parse_external_ids("channel", said)), useless
        await rig.deliver(*[member_joined("g1", f"u{number}-{each}", external_ids=said) for each in range(2)])
    assert all(len(members) == 1 for members in (await people(rig)).values())


async def test_a_placeholder_for_a_member_id_makes_no_customer(rig: Rig) -> None:
    for nobody in NOBODY.split():
        if "/" not in nobody:  # which no member id may hold
            await rig.deliver(member_joined("g1", nobody, external_ids=UNION), message_screened("g2", nobody))
    await rig.deliver(member_joined("g1", "u1"))
    assert await people(rig) == {"u1": {"u1"}}


async def test_ids_of_other_kinds_and_channels_are_other_ids(rig: Rig) -> None:
    same = "ozynqsulJFCZ2z"
    await rig.deliver(
        of(CORP, member_joined("g1", "u1", external_ids={"unionid": same})),
        of(CORP, member_joined("g1", same)),
        of(CORP, member_joined("g1", "u2", external_ids={"external_userid": same})),
        of(OTHER_CORP, member_joined("g9", "u3", external_ids={"external_userid": same})),
        of(OTHER_CORP, member_joined("g9", "u1")),
        of(OTHER_CORP, member_joined("g9", same)),
    )
    assert len(await list_customers(rig.reader, None, "", 10)) == 6


async def test_a_unionid_is_one_person_s_on_every_channel(rig: Rig) -> None:
    await rig.deliver(of(CORP, member_joined("g1", "u1", external_ids=UNION)))
    await rig.deliver(of(OTHER_CORP, member_joined("g9", "u1", external_ids=UNION)))
    (customer,) = await list_customers(rig.reader, None, "", 10)
    assert [member.source for member in customer.members] == [CORP, OTHER_CORP]


async def test_a_message_is_of_the_member_of_its_channel(rig: Rig) -> None:
    await rig.deliver(of(CORP, member_joined("g1", "u1")), of(OTHER_CORP, member_joined("g9", "u1")))
    await rig.deliver(message_screened("g1", "u1", 5, channel=CORP))
    seen = {each.members[0].source: each.last_seen for each in await list_customers(rig.reader, None, "", 10)}
    assert seen == {CORP: minutes_after_noon(5), OTHER_CORP: minutes_after_noon(0)}


async def test_two_unionids_never_become_one_customer(rig: Rig) -> None:
    """Whatever else they share: an external id, an account that was said to have both, or all of it."""
    await rig.deliver(member_joined("g1", "u1", 1, external_ids=UNION | EXTERNAL))
    await rig.deliver(member_joined("g1", "u2", 2, external_ids=OTHER_UNION | EXTERNAL), member_joined("g1", "u3", 3))
    await rig.deliver(
        member_updated("g1", "u3", 4, external_ids=UNION), member_updated("g1", "u3", 5, external_ids=OTHER_UNION)
    )
    await rig.deliver(member_joined("g1", "u4", 6, external_ids=EXTERNAL))
    found = await people(rig)
    assert sorted(found.values(), key=min) == [{"u1"}, {"u2", "u3"}, {"u4"}]


@pytest.mark.parametrize("kind", ["unionid", "external_userid"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_an_id_that_too_many_bear_is_nobody_s(rig: Rig, kind: str, *, at_once: bool) -> None:
    events = [member_joined(f"g{n}", f"u{n}", external_ids={kind: "kefu-2026"}) for n in range(MAX_ID_BEARERS + 20)]
    for batch in [events] if at_once else [events[:5], events[5:MAX_ID_BEARERS], events[MAX_ID_BEARERS:]]:
        await rig.deliver(*batch)
    assert {frozenset(members) for members in (await people(rig)).values()} == {
        frozenset({f"u{n}"}) for n in range(MAX_ID_BEARERS + 20)
    }


async def test_who_was_one_by_a_unionid_that_is_nobody_s_is_one_by_what_else_they_bear(rig: Rig) -> None:
    shared = {"unionid": "kefu-2026"}
    mine = [member_joined("g1", f"mine{n}", external_ids=shared | EXTERNAL) for n in range(2)]
    mine.append(member_joined("g1", "mine2", external_ids=EXTERNAL))
    await rig.deliver(*mine)
    assert await people(rig) == {"kefu-2026": {"mine0", "mine1", "mine2"}}
    await rig.deliver(*[member_joined("g2", f"u{n}", external_ids=shared) for n in range(MAX_ID_BEARERS)])
    assert await people(rig, "g1") == {"wm-1": {"mine0", "mine1", "mine2"}}
    assert len(await people(rig)) == MAX_ID_BEARERS + 1


async def test_a_channel_that_says_another_id_each_time_is_kept_within_bounds(rig: Rig) -> None:
    await rig.deliver(*[member_updated("g1", "u1", n, external_ids={"unionid": f"union-{n}"}) for n in range(100)])
    (document,) = await rig.documents("members")
    assert len(document["claims"]) <= 8
    assert document["ids"][0]["value"] == "union-99"


async def test_batches_at_the_same_time_about_one_person_make_one_customer(rig: Rig) -> None:
    """Two lanes or replicas, each with a group of its own: one of them finds the other's work and begins again."""
    for number in range(10):
        events = [member_joined(f"g{group}", f"u{group}-{number}", external_ids=UNION) for group in range(3)]
        await deliver_at_once(rig, [[event] for event in events])
    (customer,) = await list_customers(rig.reader, None, "", 10)
    assert (await one_person(rig)).groups == ["g0", "g1", "g2"]
    assert len(customer.members) == 30


async def test_batches_at_the_same_time_never_leave_anybody_under_an_id_that_is_nobody_s(rig: Rig) -> None:
    events = [member_joined("g", f"u{n}", external_ids=UNION | {"external_userid": f"wm-{n // 2}"}) for n in range(48)]
    events += [member_joined("g", f"v{n}", external_ids={"external_userid": f"wm-{n // 2}"}) for n in range(48)]
    random.Random(5).shuffle(events)
    await deliver_at_once(rig, [events[start : start + 8] for start in range(0, len(events), 8)])
    assert sorted(map(len, (await people(rig)).values())) == [4] * 24


async def deliver_at_once(rig: Rig, batches: Sequence[Sequence[Event]]) -> None:
    """All at once, and those that met another one again, as a consumer does."""
    while batches:
        outcomes = await asyncio.gather(*(rig.deliver(*batch) for batch in batches), return_exceptions=True)
        batches = [batch for batch, outcome in zip(batches, outcomes, strict=True) if outcome is not None]


async def test_a_listing_makes_customers_of_those_whose_coming_was_lost(rig: Rig) -> None:
    entries = [ListedMember(member_id="u1", external_ids=UNION), ListedMember(member_id="s1", role=Role.STAFF)]
    await rig.deliver(message_screened("g1", "u9", 1), group_listed("g1", entries, 5))
    assert await people(rig) == {"union-1": {"u1"}, "u9": {"u9"}}
    assert await people(rig, "g1") == {"union-1": {"u1"}}


async def test_what_was_kept_before_there_was_a_directory_is_carried_over(rig: Rig) -> None:
    await rig.deliver(member_joined("g1", "u1", 1, external_ids=UNION))
    known = (("g2", True, minutes_after_noon(2)), ("g3", True, None), ("g4", False, minutes_after_noon(3)))
    groups = [{"group_id": group, "present": present, "moved_at": moved} for group, present, moved in known]
    former = {"display_name": "王女士", "named_at": minutes_after_noon(2), "groups": groups}
    await rig.database[MEMBERS].update_one({}, {"$set": former})
    await carry_over(rig.transactor, rig.directory, FORMER_RECORDS)
    assert await one_person(rig) == Person(["g1", "g2", "g3"], "王女士", minutes_after_noon(1), minutes_after_noon(1))
    (document,) = await rig.documents(MEMBERS)
    assert document["groups"] == []
    assert not {"display_name", "named_at"} & document.keys()
    assert "王女士" not in str(await rig.documents("directory"))


STREAMS: list[list[Event]] = [
    [
        member_joined("a", "u1", 1, external_ids=EXTERNAL),
        member_left("a", "u1", 2),
        member_joined("a", "u1", 2, display_name="王"),
    ],
    [message_screened("a", "u1", 0), message_screened("a", "u9", 3)],
    [member_joined("b", "u2", 1, external_ids=UNION, display_name="王女士"), member_left("b", "u2", 4)],
    [message_screened("b", "u2", 5), message_screened("b", "u1", 6)],
    [member_joined("c", "u3", 2, external_ids=UNION | EXTERNAL, display_name="王某"), member_updated("c", "u3", 9)],
    [
        member_joined("d", "u4", 2, external_ids={"external_userid": "wm-4"}),
        member_updated("d", "u4", 3, external_ids=OTHER_UNION),
    ],
    [
        member_joined("e", "u5", 1, external_ids={"external_userid": "wm-4"} | UNION),
        member_updated("e", "u5", 8, external_ids={}),
    ],
    [member_joined("f", "u6", 1, external_ids={"external_userid": "wm-4"})],
]


@settings(max_examples=12, deadline=None, suppress_health_check=SHARED)
@given(st.data())
async def test_duplicates_and_any_order_between_partitions_lead_to_the_same_customers(
    rig: Rig, data: st.DataObject
) -> None:
    await rig.clear()
    for stream in STREAMS:
        await rig.deliver(*stream)
    expected = await rig.documents("members"), await rig.members()
    assert sorted((await people(rig)).values(), key=min) == [{"u1", "u2", "u3", "u5"}, {"u4"}, {"u6"}, {"u9"}]
    await rig.clear()
    for batch in data.draw(delivery_orders(STREAMS)):
        await rig.deliver(*batch)
    assert (await rig.documents("members"), await rig.members()) == expected
