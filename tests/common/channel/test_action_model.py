"""What the channel can do, what receipts say, and what is due next, decide alone what becomes of an action."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from huiqun.channel.actions.context import quote_message
from huiqun.channel.actions.model import ActionState, ExecutionMode, FollowedAction, FollowUpStep, choose_execution_mode
from huiqun.channel.actions.texts import describe_task
from huiqun.channel.directory.model import DirectoryGroup, GroupProfile
from huiqun.contracts.channel import Action, ActionKind, ActionTarget, Capabilities, FailureCode, Support
from huiqun.contracts.channel.mentions import render_names
from huiqun.testing.events import NATIVE, NOON
from tests.common.channel.bench import BY_HAND

SHANGHAI = ZoneInfo("Asia/Shanghai")


def followed(
    kind: ActionKind = ActionKind.SEND_MESSAGE, how: ExecutionMode = ExecutionMode.NATIVE, **fields: object
) -> FollowedAction:
    target = ActionTarget(member_id="u1", message_id="m1")
    action = Action.model_validate(
        {"action_id": "a", "group_id": "g", "kind": kind, "target": target, "content": "请留意", "requested_by": "t"}
        | fields
    )
    return FollowedAction(action, how, NOON, NOON)


@pytest.mark.parametrize(
    ("capabilities", "kind", "how"),
    [
        (NATIVE, ActionKind.DELETE_MESSAGE, ExecutionMode.NATIVE),
        (NATIVE, ActionKind.MUTE_MEMBER, ExecutionMode.NATIVE),
        (BY_HAND, ActionKind.DELETE_MESSAGE, ExecutionMode.UNSUPPORTED),
        (BY_HAND, ActionKind.MUTE_MEMBER, ExecutionMode.UNSUPPORTED),
        (BY_HAND, ActionKind.UNMUTE_MEMBER, ExecutionMode.UNSUPPORTED),
        (BY_HAND, ActionKind.REMOVE_MEMBER, ExecutionMode.STAFF_TASK),
        (BY_HAND, ActionKind.SEND_MESSAGE, ExecutionMode.NATIVE),
        (BY_HAND, ActionKind.NOTIFY_STAFF, ExecutionMode.NATIVE),
        (Capabilities(send=Support.NONE), ActionKind.SEND_PRIVATE, ExecutionMode.UNSUPPORTED),
        (Capabilities(send=Support.NONE), ActionKind.NOTIFY_STAFF, ExecutionMode.NATIVE),
        (Capabilities(send_private=Support.NONE), ActionKind.SEND_PRIVATE, ExecutionMode.UNSUPPORTED),
        (Capabilities(send_private=Support.NONE), ActionKind.SEND_MESSAGE, ExecutionMode.NATIVE),
        (Capabilities(send_private=Support.STAFF_TASK), ActionKind.SEND_PRIVATE, ExecutionMode.NATIVE),
    ],
)
def test_what_the_channel_can_do_decides_how_an_action_is_carried_out(
    capabilities: Capabilities, kind: ActionKind, how: ExecutionMode
) -> None:
    asked = Action(action_id="a", group_id="g", kind=kind, requested_by="tester")
    assert choose_execution_mode(asked, DirectoryGroup("g", GroupProfile(capabilities=capabilities))) is how


@pytest.mark.parametrize("kind", list(ActionKind))
def test_every_action_can_be_put_to_a_staff_member_in_words(kind: ActionKind) -> None:
    text = describe_task(followed(kind), DirectoryGroup("g", GroupProfile(name="惠民理财")))
    notice = Action(
        action_id="b",
        group_id="g",
        kind=ActionKind.NOTIFY_STAFF,
        content=text.content,
        members=text.members,
        requested_by="t",
    )
    told = render_names(notice, {"u1": "李女士"})
    assert told.startswith("【惠民理财】")
    assert told.endswith("11-22 12:00")
    assert "{" not in told
    assert "m1" not in told, "nobody finds a message by its id in a chat window"


def test_a_quotation_shows_the_masked_beginning_of_a_message() -> None:
    quoted = quote_message("我的号码\n是 13812345678，" + "大家加我" * 100, NOON)
    assert quoted.excerpt.startswith("我的号码 是 ")
    assert "13812345678" not in quoted.excerpt
    assert len(quoted.excerpt) == 41


def test_a_capped_action_is_not_tried_again_before_the_next_day_where_the_group_is() -> None:
    late_evening = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
    failed = followed().fail(FailureCode.CAP, "", late_evening, SHANGHAI)
    assert failed.next_step() == (datetime(2026, 11, 23, 9, tzinfo=SHANGHAI), FollowUpStep.REPEAT)
    after_midnight = late_evening + timedelta(hours=1)
    failed = followed().fail(FailureCode.CAP, "", after_midnight, SHANGHAI)
    assert failed.next_step() == (datetime(2026, 11, 24, 9, tzinfo=SHANGHAI), FollowUpStep.REPEAT)


@pytest.mark.parametrize("code", [FailureCode.CAP, FailureCode.LIMIT])
def test_an_action_that_would_be_tried_again_too_late_has_failed(code: FailureCode) -> None:
    asked = followed(deadline=NOON + timedelta(minutes=10))
    assert asked.fail(code, "full", NOON, SHANGHAI).state is ActionState.FAILED


@pytest.mark.parametrize("code", [FailureCode.CAP, FailureCode.LIMIT])
def test_an_action_that_meets_a_limit_again_and_again_fails_in_the_end(code: FailureCode) -> None:
    asked, now, tries = followed(), NOON, 0
    while asked.is_open:
        asked = asked.fail(code, "full", now, SHANGHAI)
        due = asked.next_step()
        if due is not None:
            assert due[0] > now
            now, tries = due[0], tries + 1
            asked = asked.count_step(due[1], ExecutionMode.NATIVE, now)
    assert (asked.state, tries) == (ActionState.FAILED, 3)


@pytest.mark.parametrize("code", [FailureCode.REFUSED, FailureCode.NOT_FRIEND])
def test_what_a_person_has_refused_is_not_tried_again(code: FailureCode) -> None:
    failed = followed().fail(code, "", NOON, SHANGHAI)
    assert (failed.state, failed.next_step()) == (ActionState.FAILED, None)


@pytest.mark.parametrize("code", [FailureCode.OTHER, None])
def test_any_other_failure_is_tried_again_in_a_minute(code: FailureCode | None) -> None:
    failed = followed().fail(code, "", NOON, SHANGHAI)
    assert failed.next_step() == (NOON + timedelta(minutes=1), FollowUpStep.REPEAT)


def test_nothing_is_late_before_the_time_from_which_on_it_may_be_done() -> None:
    evening = NOON + timedelta(hours=8)
    asked = followed(not_before=evening)
    assert asked.next_check_at(NOON) == evening + timedelta(minutes=5)
    assert asked.assign("staff-1", "", NOON).next_check_at(NOON) == evening + timedelta(minutes=30)


moves = st.one_of(
    st.builds(lambda code: lambda it: it.fail(code, "", NOON, SHANGHAI), st.sampled_from([*FailureCode, None])),
    st.just(lambda it: it.assign("staff-1", "", NOON)),
    st.just(lambda it: it.confirm("", NOON)),
    st.builds(
        lambda state: lambda it: it.end(state, "", NOON),
        st.sampled_from([ActionState.COMPLETED, ActionState.EXPIRED, ActionState.WITHDRAWN]),
    ),
)


@given(st.lists(moves, max_size=8))
def test_whatever_receipts_say_an_ended_action_keeps_its_end_and_an_open_one_has_a_next_step(
    made: list[Callable[[FollowedAction], FollowedAction]],
) -> None:
    action = followed()
    for move in made:
        before, action = action, move(action)
        assert before.is_open or action is before
        assert action.is_open == (action.next_step() is not None)
        assert action.is_open or not action.excerpt
