"""A roster says who is there, in whatever order and however often the events arrive."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from huiqun.contracts.channel import LeaveReason, MemberJoined, MemberLeft, Role
from huiqun.contracts.envelope import Event
from moderation.membership.model.roster import Member, describe, join, leave
from tests.moderation.membership.community import NOON, Community, joined, left, renamed

MINUTE = timedelta(minutes=1)


def told(events: list[Event]) -> Member:
    """The record of one member after these events."""
    member = Member("g1", "u1")
    for event in events:
        stamp = (event.time, event.id)
        if isinstance(event, MemberJoined):
            join(member, event.data, stamp)
        elif isinstance(event, MemberLeft):
            leave(member, event.data, stamp)
        else:
            describe(member, event.data, stamp)
    return member


HISTORIES = st.lists(st.tuples(st.sampled_from(["join", "leave", "rename"]), st.integers(0, 5)), min_size=1, max_size=8)


def events_of(history: list[tuple[str, int]]) -> list[Event]:
    """Events about one member, some at the same moment."""
    makers: dict[str, Callable[[datetime, int], Event]] = {
        "join": lambda at, n: joined("u1", at=at, name=f"加入{n}"),
        "leave": lambda at, n: left("u1", at=at, reason=list(LeaveReason)[n % 2]),
        "rename": lambda at, n: renamed("u1", f"改名{n}", at=at, role=list(Role)[n % 3]),
    }
    return [makers[kind](NOON + minute * MINUTE, number) for number, (kind, minute) in enumerate(history)]


@given(HISTORIES, st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_and_any_repetition_of_the_events_gives_the_same_record(
    history: list[tuple[str, int]], chance: random.Random, repetitions: int
) -> None:
    events = events_of(history)
    other = [*events, *(chance.choice(events) for _ in range(repetitions))]
    chance.shuffle(other)
    assert told(other) == told(events)


def test_who_left_and_came_back_is_there_however_late_the_news_of_leaving() -> None:
    events: list[Event] = [joined("u1"), left("u1", at=NOON + MINUTE), joined("u1", at=NOON + 2 * MINUTE)]
    for order in permutations(events):
        member = told(list(order))
        assert member.is_present
        assert (member.joined_at, member.left_at) == (NOON + 2 * MINUTE, None)


def test_who_came_and_went_at_the_same_moment_is_away() -> None:
    for order in permutations([joined("u1"), left("u1")]):
        assert not told(list(order)).is_present


def test_only_news_of_coming_count_as_coming() -> None:
    member = Member("g1", "u1")
    first, again = joined("u1"), joined("u1", at=NOON + MINUTE)
    assert join(member, first.data, (first.time, first.id))
    assert not join(member, first.data, (first.time, first.id))
    assert not join(member, again.data, (again.time, again.id))


async def test_a_record_keeps_how_a_member_came_and_why_they_went(community: Community) -> None:
    await community.deliver(joined("u1", name="李女士"), left("u1", at=NOON + MINUTE, reason=LeaveReason.REMOVED))
    (document,) = await community.documents("members")
    assert document["display_name"] == "李女士"
    assert (document["invited_by"], document["scene"]) == ("staff-1", "qr")
    assert (document["left_reason"], document["present"]) == ("removed", False)
    assert document["gone_since"] == NOON + MINUTE


async def test_groups_shuffled_and_events_repeated_leave_the_same_documents(community: Community) -> None:
    chance = random.Random(7)
    groups: list[list[Event]] = [
        [
            joined("u1", group),
            renamed("u1", "新名字", group, NOON + MINUTE),
            left("u1", group, NOON + 2 * MINUTE),
            joined("u2", group, NOON + 3 * MINUTE, role=Role.STAFF),
            joined("u1", group, NOON + 4 * MINUTE),
        ]
        for group in ("g1", "g2", "g3")
    ]
    await community.deliver(*(event for events in groups for event in events))
    expected = await community.documents("members")
    await community.transactor.database["members"].delete_many({})
    waiting = [list(events) for events in groups]
    while any(waiting):
        events = chance.choice([events for events in waiting if events])
        size = chance.randint(1, 3)
        await community.deliver(*events[:size])
        del events[: chance.randint(1, size)]  # some are delivered again
    assert await community.documents("members") == expected
