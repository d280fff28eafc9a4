"""What receipts say, by their codes and stages, becomes of actions."""

from datetime import timedelta
from typing import Any

import pytest

from huiqun.channel.actions.store import ACTIONS
from huiqun.contracts.channel import (
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionKind,
    ActionUnsupported,
    CompletionStage,
    FailureCode,
)
from huiqun.testing.events import NOON
from tests.common.channel.bench import ActionsBench


@pytest.mark.parametrize("later", [ActionFailed, ActionExpired, ActionAssigned, ActionUnsupported])
async def test_an_ended_action_keeps_its_end(bench: ActionsBench, later: Any) -> None:
    asked = bench.action()
    await bench.ask(asked)
    await bench.answer(asked, ActionCompleted)
    await bench.answer(asked, later)
    await bench.run_due(timedelta(days=1))
    assert await bench.state_of(asked) == "completed"
    assert len(bench.asked) == 1


async def test_receipts_of_one_batch_count_in_their_order(bench: ActionsBench) -> None:
    asked = bench.action()
    await bench.ask(asked)
    await bench.answer(asked, ActionAssigned, ActionFailed, ActionCompleted)
    assert await bench.state_of(asked) == "completed"


async def test_a_receipt_of_an_action_that_nobody_asked_for_is_passed_over(bench: ActionsBench) -> None:
    await bench.answer(bench.action(), ActionCompleted, ActionFailed, ActionAssigned)
    assert await bench.database[ACTIONS].count_documents({}) == 0
    assert await bench.database["tasks"].count_documents({}) == 0


async def test_a_failed_action_is_tried_again_soon(bench: ActionsBench) -> None:
    asked = bench.action()
    await bench.ask(asked)
    await bench.answer(asked, ActionFailed, detail="the channel is busy")
    await bench.run_due(timedelta(seconds=59))
    assert len(bench.asked) == 1
    await bench.run_due(timedelta(seconds=1))
    assert [each.action_id for each in bench.asked] == [asked.action_id] * 2


async def test_a_capped_action_is_asked_for_again_the_next_morning_as_if_for_the_first_time(
    bench: ActionsBench,
) -> None:
    asked = bench.action(ActionKind.SEND_MESSAGE)
    await bench.ask(asked)
    await bench.answer(asked, ActionFailed, code=FailureCode.CAP)
    await bench.run_due(timedelta(hours=20, minutes=59))
    assert len(bench.asked) == 1
    await bench.run_due(timedelta(minutes=1))
    assert [each.action_id for each in bench.asked] == [asked.action_id] * 2
    await bench.run_due(timedelta(minutes=4))
    assert len(bench.asked) == 2
    await bench.answer(asked, ActionCompleted)
    assert await bench.state_of(asked) == "completed"


async def test_what_a_member_refused_has_failed_and_says_why(bench: ActionsBench) -> None:
    asked = bench.action()
    await bench.ask(asked)
    await bench.answer(asked, ActionFailed, code=FailureCode.NOT_FRIEND, detail="no friend of staff-1")
    await bench.run_due(timedelta(days=2))
    ended = await bench.followed(asked)
    assert (ended.state, ended.code, ended.detail) == ("failed", "not_friend", "no friend of staff-1")
    assert len(bench.asked) == 1


async def test_what_is_confirmed_is_not_delivered_yet_and_nobody_is_reminded_of_it(bench: ActionsBench) -> None:
    asked = bench.action(ActionKind.SEND_MESSAGE, deadline=NOON + timedelta(hours=2))
    await bench.ask(asked)
    await bench.answer(asked, ActionAssigned, assignee="staff-7")
    await bench.answer(asked, ActionCompleted, stage=CompletionStage.CONFIRMED)
    await bench.run_due(timedelta(hours=3))
    confirmed = await bench.followed(asked)
    assert (confirmed.state, confirmed.stage) == ("assigned", "confirmed")
    assert bench.told == []
    await bench.answer(asked, ActionCompleted, stage=CompletionStage.DELIVERED)
    delivered = await bench.followed(asked)
    assert (delivered.state, delivered.stage) == ("completed", "delivered")


async def test_what_is_confirmed_and_never_reported_on_counts_as_done_after_a_day(bench: ActionsBench) -> None:
    asked = bench.action(ActionKind.SEND_MESSAGE)
    await bench.ask(asked)
    await bench.answer(asked, ActionCompleted, stage=CompletionStage.CONFIRMED)
    await bench.run_due(timedelta(hours=24))
    ended = await bench.followed(asked)
    assert (ended.state, ended.stage) == ("completed", "confirmed")
    assert len(bench.asked) == 1
