"""A sample can be drawn again by anybody: it depends on the seed and the messages, and on nothing else."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from huiqun.testing.events import message_edited
from huiqun.testing.events import message_received as message_event
from moderation.archive.handlers.supervising import SampleOrder, draw_sample
from moderation.archive.model.sampling import Draw
from tests.moderation.archive.records import archive, spread
from tests.moderation.rig import MONDAY, ModerationRig

IDS = st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]), min_size=1, max_size=12)
GROUPS = st.dictionaries(st.sampled_from("abcdef"), st.sets(IDS, max_size=30), max_size=6)
SEEDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def rank(seed: str, message_id: str) -> bytes:
    """As the documentation has it."""
    return blake2b(f"{seed}\n{message_id}".encode(), digest_size=16).digest()


def drawn(
    groups: Mapping[str, Iterable[str]], seed: str, size: int, page: int = 7, *, by_group: bool = False
) -> list[str]:
    draw = Draw(seed, size, by_group)
    for ids in groups.values():
        listed = list(ids)
        for start in range(0, len(listed), page):
            draw.offer(listed[start : start + page])
        draw.end_group()
    return draw.drawn()


def distinct(groups: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """The ids of a message are its own in every group."""
    return {group: [f"{group}:{each}" for each in sorted(ids)] for group, ids in groups.items()}


@given(GROUPS, SEEDS, st.integers(1, 20))
def test_the_messages_of_the_lowest_ranks_are_drawn(groups: Mapping[str, set[str]], seed: str, size: int) -> None:
    every = [each for ids in distinct(groups).values() for each in ids]
    assert drawn(distinct(groups), seed, size) == sorted(every, key=lambda each: rank(seed, each))[:size]


@given(GROUPS, SEEDS, st.integers(1, 20), st.integers(1, 9), st.randoms(use_true_random=False), st.booleans())
def test_order_pages_and_repetitions_make_no_difference(
    groups: Mapping[str, set[str]], seed: str, size: int, page: int, chance: random.Random, by_group: bool
) -> None:
    shuffled: dict[str, Sequence[str]] = {}
    for group, ids in chance.sample(list(distinct(groups).items()), len(groups)):
        twice = [*ids, *chance.sample(ids, len(ids) // 2)]
        shuffled[group] = chance.sample(twice, len(twice))
    assert drawn(shuffled, seed, size, page, by_group=by_group) == drawn(
        distinct(groups), seed, size, by_group=by_group
    )


@given(GROUPS, SEEDS, st.integers(1, 20), st.integers(0, 20), st.booleans())
def test_a_larger_sample_begins_with_a_smaller_one(
    groups: Mapping[str, set[str]], seed: str, size: int, more: int, by_group: bool
) -> None:
    smaller = drawn(distinct(groups), seed, size, by_group=by_group)
    assert drawn(distinct(groups), seed, size + more, by_group=by_group)[: len(smaller)] == smaller


@given(GROUPS, SEEDS, st.integers(1, 20))
def test_by_group_no_group_gets_more_while_another_still_has_messages(
    groups: Mapping[str, set[str]], seed: str, size: int
) -> None:
    sample = drawn(distinct(groups), seed, size, by_group=True)
    shares = {group: sum(each in sample for each in ids) for group, ids in distinct(groups).items()}
    for group, share in shares.items():
        if share < len(groups[group]):
            assert all(other <= share + 1 for other in shares.values())


async def test_a_sample_is_drawn_from_the_archive_whatever_was_archived_first(rig: ModerationRig) -> None:
    messages = [*spread(40, "g1", MONDAY), *spread(5, "g2", MONDAY)]
    order = SampleOrder("2026-Q4", 12, MONDAY, MONDAY + timedelta(seconds=30))
    samples = []
    for arrived in (messages, messages[::-1]):
        await rig.database["messages"].delete_many({})
        await archive(rig, arrived)
        samples.append(await draw_sample(rig.reader, order))
    first, second = samples
    ids = [each.message_id for each in first.drawn]
    assert ids == [each.message_id for each in second.drawn]
    every = [message.message_id for message in messages if message.sent_at < order.until]
    assert ids == sorted(every, key=lambda each: rank("2026-Q4", each))[:12]
    assert first.population == 35


async def test_groups_can_be_chosen_and_have_the_same_share(rig: ModerationRig) -> None:
    await archive(rig, [*spread(40, "g1", MONDAY), *spread(5, "g2", MONDAY), *spread(40, "g3", MONDAY)])
    end = MONDAY + timedelta(hours=1)
    order = SampleOrder("a seed", 12, MONDAY, end, ("g1", "g2"), by_group=True)
    sample = await draw_sample(rig.reader, order)
    groups = [each.document["group_id"] for each in sample.drawn]
    assert (groups.count("g1"), groups.count("g2")) == (7, 5)


async def test_an_edited_message_is_in_a_sample_once_and_as_first_sent(rig: ModerationRig) -> None:
    original = message_event(1, "g1", "u1", "第一版", MONDAY)
    await rig.deliver(original)
    await rig.deliver(message_edited(original, "第二版"))
    order = SampleOrder("a seed", 5, MONDAY - timedelta(days=1), MONDAY + timedelta(days=1))
    sample = await draw_sample(rig.reader, order)
    assert [each.document["text"] for each in sample.drawn] == ["第一版"]
