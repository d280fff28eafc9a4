"""What is under a legal hold does not expire; what is let go expires as its policy says."""

from datetime import timedelta

import pytest

from huiqun.store import Outside
from huiqun.work import Work
from moderation.archive.handlers.holds import (
    HoldOrder,
    LiftedHoldError,
    UnknownHoldError,
    lift_hold,
    place_hold,
)
from moderation.archive.handlers.settling import unsettled
from moderation.archive.model import Hold
from moderation.archive.store import holds
from tests.moderation.archive.records import archive, archived, expiries, spread
from tests.moderation.membership.community import NOON, Community

HOUR = timedelta(hours=1)


async def place(community: Community, *groups: str, members: tuple[str, ...] = ()) -> Hold:
    """Hold what is said in these groups, by these members."""
    return await community.commit(
        lambda work: place_hold(work, HoldOrder(groups, members, None, None, "案件 1"), "anna")
    )


async def lift(community: Community, hold: Hold) -> Hold:
    return await community.commit(lambda work: lift_hold(work, hold.id, "已结", "bo"))


async def come_through(community: Community) -> None:
    """Every process knows of the holds, and every message was looked at."""
    await community.keeper.refresh()
    await community.pass_time(minutes=2)


async def held(community: Community) -> set[str]:
    return {key for key, day in (await expiries(community)).items() if day is None}


async def test_messages_in_the_archive_are_held_and_let_go(community: Community) -> None:
    await archive(community, [*spread(3, "g1", NOON), *spread(2, "g2", NOON)])
    before = await expiries(community)
    hold = await place(community, "g1")
    assert await unsettled(Outside(community.transactor.database), hold.id) == 1
    await come_through(community)
    assert await unsettled(Outside(community.transactor.database), hold.id) == 0
    assert await held(community) == {"g1-00000", "g1-00001", "g1-00002"}
    await lift(community, hold)
    await come_through(community)
    assert await expiries(community) == before


async def test_a_large_group_is_held_batch_by_batch(community: Community) -> None:
    await archive(community, spread(4_500, "g1", NOON))
    await place(community, "g1")
    await community.run_task()
    assert len(await held(community)) == 2_000
    await come_through(community)
    assert len(await held(community)) == 4_500


async def test_new_messages_under_an_open_hold_are_held_from_the_start(community: Community) -> None:
    await place(community, "g1", members=("u1",))
    await community.keeper.refresh()
    await community.say("你好", member="u1")
    await community.say("你好", member="u2")
    assert [document["member_id"] for document in await archived(community, expires_on=None)] == ["u1"]


async def test_what_was_archived_before_its_process_knew_of_the_hold_is_held_as_well(community: Community) -> None:
    await place(community, "g1")
    await community.pass_time(seconds=1)  # the archive has been looked through
    await community.say("你好")  # by a process that has not read the hold
    assert len(await held(community)) == 0
    await come_through(community)
    assert len(await held(community)) == 1


async def test_a_hold_has_a_beginning_and_an_end_and_may_name_members_in_every_group(community: Community) -> None:
    await archive(community, [*spread(4, "g1", NOON), *spread(4, "g2", NOON, member="u2")])
    order = HoldOrder((), ("u1",), NOON + timedelta(seconds=1), NOON + timedelta(seconds=3), "案件 2")
    await community.commit(lambda work: place_hold(work, order, "anna"))
    await come_through(community)
    assert await held(community) == {"g1-00001", "g1-00002"}


async def test_what_two_holds_cover_stays_until_both_are_lifted(community: Community) -> None:
    await archive(community, spread(2, "g1", NOON))
    first, second = await place(community, "g1"), await place(community, "g1", members=("u1",))
    await come_through(community)
    await lift(community, first)
    await come_through(community)
    assert len(await held(community)) == 2
    await lift(community, second)
    await come_through(community)
    assert await held(community) == set()


async def test_a_hold_is_lifted_once_and_must_be_there(community: Community) -> None:
    hold = await place(community, "g1")
    lifted = await lift(community, hold)
    assert (lifted.lifted_by, lifted.lift_reason) == ("bo", "已结")
    with pytest.raises(LiftedHoldError):
        await lift(community, hold)
    with pytest.raises(UnknownHoldError):
        await community.commit(lambda work: lift_hold(work, "nothing", "", "bo"))
    assert await holds.open_holds(Outside(community.transactor.database)) == []


async def test_placing_and_lifting_are_audited_with_their_reasons_masked(community: Community) -> None:
    order = HoldOrder(("g1",), (), NOON, None, "客户 13800138000 投诉")
    hold = await community.commit(lambda work: place_hold(work, order, "anna"))
    await lift(community, hold)
    placed, ended = await community.documents("audit_log")
    assert (placed["action"], placed["actor"], placed["subject"]) == ("hold.placed", "anna", f"hold/{hold.id}")
    assert placed["detail"]["reason"] == hold.reason == "客户 138****8000 投诉"
    assert (ended["action"], ended["actor"]) == ("hold.lifted", "bo")


async def test_who_lets_messages_expire_looks_again_when_a_hold_is_placed_meanwhile(community: Community) -> None:
    transactor = community.transactor
    seen: list[int] = []

    async def let_go(work: Work) -> None:
        seen.append(len(await holds.open_holds(work)))
        if len(seen) == 1:
            await transactor.run(lambda other: place_hold(other, HoldOrder(("g1",), (), None, None, "案件 3"), "anna"))
        await holds.guard(work)

    await transactor.run(let_go)
    assert seen == [0, 1]
