"""What is under a legal hold does not expire; what is let go expires as its policy says."""

from datetime import timedelta

import pytest

from huiqun.work import Work
from moderation.retention.handlers import (
    HoldNotFoundError,
    LiftedHoldError,
    LiftHoldCommand,
    PlaceHoldCommand,
    count_unsettled_groups,
    lift_hold,
    list_open_holds,
    place_hold,
)
from moderation.retention.model import LegalHold
from moderation.retention.store import conflict_with_new_holds
from tests.moderation.archive.records import archive, archived, expiries, spread
from tests.moderation.rig import MONDAY, ModerationRig

HOUR = timedelta(hours=1)


async def place(rig: ModerationRig, *groups: str, members: tuple[str, ...] = ()) -> LegalHold:
    """Hold what is said in these groups, by these members."""
    return await rig.run(lambda work: place_hold(work, PlaceHoldCommand(groups, members, None, None, "案件 1"), "anna"))


async def lift(rig: ModerationRig, hold: LegalHold) -> LegalHold:
    return await rig.run(lambda work: lift_hold(work, LiftHoldCommand(hold.id, "已结"), "bo"))


async def come_through(rig: ModerationRig) -> None:
    """Every process knows of the holds, and every message was looked at."""
    await rig.keeper.refresh()
    await rig.run_due(timedelta(minutes=2))


async def held(rig: ModerationRig) -> set[str]:
    return {key for key, day in (await expiries(rig)).items() if day is None}


async def test_messages_in_the_archive_are_held_and_let_go(rig: ModerationRig) -> None:
    await archive(rig, [*spread(3, "g1", MONDAY), *spread(2, "g2", MONDAY)])
    before = await expiries(rig)
    hold = await place(rig, "g1")
    assert await count_unsettled_groups(rig.reader, hold.id) == 1
    await come_through(rig)
    assert await count_unsettled_groups(rig.reader, hold.id) == 0
    assert await held(rig) == {"g1-00000", "g1-00001", "g1-00002"}
    await lift(rig, hold)
    await come_through(rig)
    assert await expiries(rig) == before


async def test_a_large_group_is_held_batch_by_batch(rig: ModerationRig) -> None:
    await archive(rig, spread(4_500, "g1", MONDAY))
    await place(rig, "g1")
    await rig.run_task()
    assert len(await held(rig)) == 2_000
    await come_through(rig)
    assert len(await held(rig)) == 4_500


async def test_new_messages_under_an_open_hold_are_held_from_the_start(rig: ModerationRig) -> None:
    await place(rig, "g1", members=("u1",))
    await rig.keeper.refresh()
    await rig.say_all("你好", member="u1")
    await rig.say_all("你好", member="u2")
    assert [document["member_id"] for document in await archived(rig, expires_on=None)] == ["u1"]


async def test_what_was_archived_before_its_process_knew_of_the_hold_is_held_as_well(rig: ModerationRig) -> None:
    await place(rig, "g1")
    await rig.run_due(timedelta(seconds=1))  # the archive has been looked through
    await rig.say_all("你好")  # by a process that has not read the hold
    assert len(await held(rig)) == 0
    await come_through(rig)
    assert len(await held(rig)) == 1


async def test_a_hold_has_a_beginning_and_an_end_and_may_name_members_in_every_group(rig: ModerationRig) -> None:
    await archive(rig, [*spread(4, "g1", MONDAY), *spread(4, "g2", MONDAY, member="u2")])
    order = PlaceHoldCommand((), ("u1",), MONDAY + timedelta(seconds=1), MONDAY + timedelta(seconds=3), "案件 2")
    await rig.run(lambda work: place_hold(work, order, "anna"))
    await come_through(rig)
    assert await held(rig) == {"g1-00001", "g1-00002"}


async def test_what_two_holds_cover_stays_until_both_are_lifted(rig: ModerationRig) -> None:
    await archive(rig, spread(2, "g1", MONDAY))
    first, second = await place(rig, "g1"), await place(rig, "g1", members=("u1",))
    await come_through(rig)
    await lift(rig, first)
    await come_through(rig)
    assert len(await held(rig)) == 2
    await lift(rig, second)
    await come_through(rig)
    assert await held(rig) == set()


async def test_a_hold_is_lifted_once_and_must_be_there(rig: ModerationRig) -> None:
    hold = await place(rig, "g1")
    lifted = await lift(rig, hold)
    assert (lifted.lifted_by, lifted.lift_reason) == ("bo", "已结")
    with pytest.raises(LiftedHoldError):
        await lift(rig, hold)
    with pytest.raises(HoldNotFoundError):
        await rig.run(lambda work: lift_hold(work, LiftHoldCommand("nothing", ""), "bo"))
    assert await list_open_holds(rig.reader) == []


async def test_placing_and_lifting_are_audited_with_their_reasons_masked(rig: ModerationRig) -> None:
    order = PlaceHoldCommand(("g1",), (), MONDAY, None, "客户 13800138000 投诉")
    hold = await rig.run(lambda work: place_hold(work, order, "anna"))
    await lift(rig, hold)
    placed, ended = await rig.documents("audit_log")
    assert (placed["action"], placed["actor"], placed["subject"]) == ("hold.placed", "anna", f"hold/{hold.id}")
    assert placed["detail"]["reason"] == hold.reason == "客户 138****8000 投诉"
    assert (ended["action"], ended["actor"]) == ("hold.lifted", "bo")


async def test_who_lets_messages_expire_looks_again_when_a_hold_is_placed_meanwhile(rig: ModerationRig) -> None:
    transactor = rig.transactor
    seen: list[int] = []

    async def let_go(work: Work) -> None:
        seen.append(len(await list_open_holds(work)))
        if len(seen) == 1:
            await transactor.run(
                lambda other: place_hold(other, PlaceHoldCommand(("g1",), (), None, None, "案件 3"), "anna")
            )
        await conflict_with_new_holds(work)

    await transactor.run(let_go)
    assert seen == [0, 1]
