"""The directory says the same of groups and members in whatever order, and however often, it is told."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import permutations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from huiqun.channel.directory.fold import DirectoryChanges, DirectoryFold, DirectorySnapshot
from huiqun.channel.directory.model import MAX_ID_KINDS, MAX_OPEN_LISTINGS, DirectoryGroup, DirectoryMember
from huiqun.contracts.channel import GroupListed, LeaveReason, MemberJoined, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened
from huiqun.testing.events import (
    group_created,
    group_dismissed,
    group_listed,
    group_updated,
    member_joined,
    member_left,
    member_updated,
    message_screened,
    minutes_after_noon,
)

State = tuple[dict[str, DirectoryGroup], dict[str, DirectoryMember]]


def fold_of(events: Sequence[Event]) -> DirectoryFold:
    fold = DirectoryFold(DirectorySnapshot({}, {}))
    for event in events:
        if isinstance(event, MessageScreened):
            fold.apply_sender(event)
        else:
            fold.apply_event(event)  # type: ignore[arg-type]
    return fold


def told(events: Sequence[Event]) -> State:
    """What is known when all has been told, as the last listing is looked at again where it came before a member."""
    fold = fold_of(events)
    return fold.groups, fold.members


def member_of(*events: Event, member: str = "u1") -> DirectoryMember:
    return told(events)[1][f"g1/{member}"]


MAKERS: Sequence[Callable[[int, int], Event]] = (
    lambda minute, n: member_joined("g1", f"u{n % 3}", minute, display_name=f"加入{n}", invited_by=f"staff-{n}"),
    lambda minute, n: member_left("g1", f"u{n % 3}", minute, list(LeaveReason)[n % 2]),
    lambda minute, n: member_updated(
        "g1", f"u{n % 3}", minute, role=list(Role)[n % 3], external_ids={"unionid": f"union-{n}"}
    ),
    lambda minute, n: member_updated("g1", f"u{n % 3}", minute, display_name=f"改名{n}"),
    lambda minute, n: message_screened("g1", f"u{n % 3}", minute, role=list(Role)[n % 2]),
    lambda minute, n: group_listed("g1", [f"u{n % 3}"], minute, page=1, pages=n % 2 + 1),
    lambda minute, n: group_listed("g1", [f"u{(n + 1) % 3}"], minute, page=n % 2 + 1, pages=2),
    lambda minute, n: group_updated("g1", minute, name=f"理财{n}群", owner=f"staff-{n}"),
    lambda minute, _: group_dismissed("g1", minute),
)
HISTORIES = st.lists(st.tuples(st.sampled_from(MAKERS), st.integers(0, 5)), min_size=1, max_size=10)


@given(HISTORIES, st.randoms(use_true_random=False), st.integers(0, 4))
def test_any_order_and_any_repetition_of_events_give_the_same_directory(
    history: list[tuple[Callable[[int, int], Event], int]], chance: random.Random, repetitions: int
) -> None:
    events = [make(minute, number) for number, (make, minute) in enumerate(history)]
    other = [*events, *(chance.choice(events) for _ in range(repetitions))]
    chance.shuffle(other)
    assert told(other) == told(events)


def test_who_left_and_came_back_is_there_however_late_the_news_of_leaving() -> None:
    for order in permutations([member_joined("g1", "u1"), member_left("g1", "u1", 1), member_joined("g1", "u1", 2)]):
        member = member_of(*order)
        assert (member.is_present, member.joined_at, member.left_at) == (True, minutes_after_noon(2), None)


def test_of_what_happened_at_the_same_moment_the_event_made_later_counts() -> None:
    for order in permutations([member_joined("g1", "u1"), member_left("g1", "u1")]):
        assert not member_of(*order).is_present
    for order in permutations([member_left("g1", "u1"), member_joined("g1", "u1")]):
        assert member_of(*order).is_present


def test_only_news_of_coming_count_as_coming() -> None:
    def changes(*events: Event) -> DirectoryChanges:
        return fold_of(events).changes

    first = member_joined("g1", "u1")
    assert changes(first).arrived.keys() == {"g1/u1"}
    known = fold_of([first])
    for again in (first, member_joined("g1", "u1", 1), member_updated("g1", "u1", 2), group_listed("g1", ["u1"], 3)):
        known.changes = DirectoryChanges(known.changes.directory)
        known.apply_event(again)
        assert not known.changes.arrived, again.type
    assert changes(first, member_left("g1", "u1", 1)).arrived == {}
    assert changes(first, member_left("g1", "u1", 1)).departed.keys() == {"g1/u1"}
    assert changes(member_left("g1", "u1", 1), member_joined("g1", "u1", 2)).arrived.keys() == {"g1/u1"}
    assert changes(member_left("g1", "u1", 1), first).arrived == {}
    assert changes(group_listed("g1", [], 5), first).arrived == {}, "a listing since then has them not"


def test_who_writes_is_in_the_group_unless_a_departure_says_otherwise() -> None:
    assert member_of(message_screened("g1", "u1", role=Role.STAFF)).role is Role.STAFF
    gone = member_of(message_screened("g1", "u1", 9), member_left("g1", "u1", 1))
    assert (gone.is_present, gone.left_at, gone.role) == (False, minutes_after_noon(1), Role.CUSTOMER)


def test_what_the_channel_says_of_a_member_outranks_what_messages_say() -> None:
    events = [member_updated("g1", "u1", 1, role=Role.STAFF), message_screened("g1", "u1", 5, role=Role.CUSTOMER)]
    for order in permutations(events):
        member = member_of(*order)
        assert (member.role, member.seen, member.heard_at) == (Role.STAFF, None, minutes_after_noon(1))


def test_a_departure_names_no_role_and_an_empty_name_says_nothing() -> None:
    assert member_of(member_left("g1", "u1")).role is None
    member = member_of(member_joined("g1", "u1", 1, display_name="李女士"), member_updated("g1", "u1", 2))
    assert member.name is not None
    assert str(member.name.value) == "[name]"


def test_a_whole_listing_finds_who_left_unheard_and_who_came_unheard() -> None:
    events = [
        member_joined("g1", "u1", 1),
        member_joined("g1", "u2", 2),
        group_listed("g1", ["u2", "u3"], 5),
        member_joined("g1", "u4", 6),
    ]
    for order in permutations(events):
        members = told(order)[1]
        present = {key for key, member in members.items() if member.is_present}
        assert present == {"g1/u2", "g1/u3", "g1/u4"}
        gone = members["g1/u1"]
        assert (gone.left_at, gone.left_reason) == (minutes_after_noon(1), LeaveReason.LEFT), "the last sign of them"


def test_who_is_listed_is_there_whatever_was_said_before() -> None:
    events = [
        member_joined("g1", "u1", 1),
        member_left("g1", "u1", 2),
        group_listed("g1", ["u1"], 3, joined_at=minutes_after_noon(2.5)),
    ]
    for order in permutations(events):
        member = member_of(*order)
        assert (member.is_present, member.joined_at) == (True, minutes_after_noon(2.5))
    assert not member_of(*events, member_left("g1", "u1", 4)).is_present


@pytest.mark.parametrize(
    "pages",
    [
        [group_listed("g1", ["u2"], 5, page=1, pages=2)],
        [group_listed("g1", ["u2"], 5, page=1, pages=2), group_listed("g1", ["u2"], 5, page=1, pages=2)],
        [group_listed("g1", ["u2"], 5, page=1, pages=2), group_listed("g1", ["u3"], 6, page=2, pages=2)],
        [group_listed("g1", ["u2"], 5, page=1, pages=2), group_listed("g1", ["u3"], 5, page=2, pages=3)],
        [group_listed("g1", ["u2"], 5, page=1, pages=2), group_listed("g1", ["u3"], 5, page=3, pages=2)],
        [group_listed("g1", ["u2"], 5, complete=False)],
        [
            group_listed("g1", ["u2"], 5, page=1, pages=2, complete=False),
            group_listed("g1", ["u3"], 5, page=2, pages=2),
        ],
    ],
    ids=[
        "one of two",
        "the same twice",
        "of two times",
        "of two listings",
        "beyond the last",
        "with a gap",
        "one with a gap",
    ],
)
def test_pages_that_make_no_whole_listing_remove_nobody(pages: list[GroupListed]) -> None:
    for order in permutations([member_joined("g1", "u1"), *pages]):
        members = told(order)[1]
        assert all(member.is_present for member in members.values())
        assert "g1/u2" in members, "whom they do name is taken in"


def test_a_listing_is_whole_when_its_last_page_has_come() -> None:
    pages = [group_listed("g1", [f"u{page}"], 5, page=page, pages=3) for page in (1, 2, 3)]
    for order in permutations([member_joined("g1", "gone"), *pages]):
        groups, members = told(order)
        assert not members["g1/gone"].is_present
        assert (groups["g1"].listed_at, groups["g1"].open_listings) == (minutes_after_noon(5), {})


def test_an_older_listing_changes_nothing_after_a_newer_one() -> None:
    events = [member_joined("g1", "u1", 1), group_listed("g1", ["u1"], 5), group_listed("g1", [], 3)]
    assert all(member_of(*order).is_present for order in permutations(events))


def test_listings_that_never_come_whole_are_kept_within_bounds() -> None:
    group = told([group_listed("g1", ["u1"], minute, page=1, pages=2) for minute in range(50)])[0]["g1"]
    assert len(group.open_listings) == MAX_OPEN_LISTINGS
    assert max(group.open_listings).as_of == minutes_after_noon(49)


def test_ids_of_ever_more_kinds_are_kept_within_bounds() -> None:
    member = member_of(*(member_updated("g1", "u1", n, external_ids={f"kind{n}": "x"}) for n in range(50)))
    assert len(member.ids) == MAX_ID_KINDS
    assert "kind49" in member.ids


def test_what_was_erased_is_not_taken_in_again() -> None:
    event: MemberJoined = member_joined("g1", "u1", 1, display_name="李女士", external_ids={"unionid": "union-1"})
    fold = fold_of([event])
    member = fold.members["g1/u1"]
    member.erase(minutes_after_noon(2))
    fold.apply_event(event)
    assert (member.name, member.ids) == (None, {})
    fold.apply_event(member_updated("g1", "u1", 3, display_name="新名字"))
    fold.apply_event(group_listed("g1", ["u1"], 4))
    assert (member.name, member.is_present, member.is_suppressed) == (None, True, True)
    fold.apply_event(member_joined("g1", "u1", 5, display_name="再来"))
    assert (member.name is not None, member.is_suppressed) == (True, False)


def test_a_private_group_is_not_called_after_its_customer() -> None:
    groups, _ = told([group_updated("g1", 0, kind="private", name="王小明", owner="staff-1")])
    assert (groups["g1"].profile.name, groups["g1"].profile.owner) == ("", "staff-1")


@pytest.mark.parametrize("nobody", ["unknown", "0", "-", "未知"])
def test_a_group_is_not_owned_by_a_placeholder(nobody: str) -> None:
    assert told([group_updated("g1", 0, owner=nobody)])[0]["g1"].profile.owner is None


def test_a_dismissal_is_for_good() -> None:
    for order in permutations(
        [group_created("g1"), group_dismissed("g1", 1), group_dismissed("g1", 3), group_updated("g1", 5)]
    ):
        group = told(order)[0]["g1"]
        assert (group.dismissed_at, group.is_known) == (minutes_after_noon(1), True)


def test_a_time_is_kept_as_the_store_keeps_it() -> None:
    fine = timedelta(microseconds=1_500)
    event = member_joined("g1", "u1").model_copy(update={"time": minutes_after_noon(0) + fine})
    came: datetime | None = member_of(event).joined_at
    assert came == minutes_after_noon(0) + timedelta(milliseconds=1)
