"""The archive is chronological: every message of a group has one place in it, whatever was sent when."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huiqun.contracts.moderation import Screened
from huiqun.store import OutsideTransaction
from moderation.archive.model import RevisionKey
from moderation.archive.store.messages import Place, Search, groups, search
from tests.moderation.archive.records import archive, said
from tests.moderation.rig import MONDAY, ModerationRig


async def walk(rig: ModerationRig, wanted: Search, limit: int) -> list[Place]:
    """Every place of a search, a page at a time."""
    places: list[Place] = []
    while page := await search(rig.reader, wanted, places[-1] if places else None, limit):
        assert len(page) <= limit
        places += [found.place for found in page]
    return places


def key_of(message: Screened) -> str:
    return str(RevisionKey(message.message_id, message.group_id, message.revision, message.channel))


def in_order(messages: Sequence[Screened]) -> list[Place]:
    return sorted(Place(message.sent_at, key_of(message)) for message in messages)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(1, 7), st.randoms(use_true_random=False))
async def test_pages_of_any_length_show_each_message_once_by_time_and_then_by_id(
    rig: ModerationRig, seconds: list[int], limit: int, chance: random.Random
) -> None:
    await rig.database["messages"].delete_many({})
    messages = [said(number, "g1", MONDAY + timedelta(seconds=each)) for number, each in enumerate(seconds)]
    arrived = messages.copy()
    chance.shuffle(arrived)
    await archive(rig, arrived)
    assert await walk(rig, Search("g1"), limit) == in_order(messages)


async def test_a_page_goes_on_after_a_message_that_has_expired(rig: ModerationRig) -> None:
    messages = [said(number, "g1", MONDAY) for number in range(6)]
    await archive(rig, messages)
    database = rig.database
    first = await search(OutsideTransaction(database), Search("g1"), None, 3)
    await database["messages"].delete_many({"_id": {"$in": [str(found.key) for found in first]}})
    rest = await search(OutsideTransaction(database), Search("g1"), first[-1].place, 10)
    assert [found.message_id for found in rest] == [message.message_id for message in messages[3:]]


@pytest.mark.parametrize(("since", "until", "expected"), [(1, 3, [1, 2]), (None, 2, [0, 1]), (3, None, [3, 4])])
async def test_a_search_has_a_beginning_and_an_end(
    rig: ModerationRig, since: int | None, until: int | None, expected: list[int]
) -> None:
    messages = [said(number, "g1", MONDAY + timedelta(seconds=number)) for number in range(5)]
    await archive(rig, messages)
    bounds = [None if each is None else MONDAY + timedelta(seconds=each) for each in (since, until)]
    wanted = Search("g1", bounds[0], bounds[1])
    assert await walk(rig, wanted, 1) == in_order([messages[number] for number in expected])
    everything = await search(rig.reader, wanted, Place(MONDAY - timedelta(days=1), "x"), 9)
    assert len(everything) == len(expected)
    nothing = await search(rig.reader, wanted, Place(MONDAY + timedelta(days=1), "x"), 9)
    assert nothing == []


async def test_groups_with_messages_are_listed_page_by_page(rig: ModerationRig) -> None:
    await archive(rig, [said(number, f"g{number % 5}", MONDAY) for number in range(40)])
    database = rig.database
    assert await groups(OutsideTransaction(database), None, 3) == ["g0", "g1", "g2"]
    assert await groups(OutsideTransaction(database), "g2", 3) == ["g3", "g4"]
