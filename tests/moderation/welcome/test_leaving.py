"""Who asks how to leave the group is told, but not at everybody's expense."""

from datetime import timedelta

import pytest

from huiqun.contracts.channel import Role
from moderation.consent.model import normalize_reply
from moderation.policies.sections.leaving import LeavingRule
from moderation.welcome.model import asks_to_leave
from tests.moderation.rig import ModerationRig

ANSWER = LeavingRule().text


async def test_who_asks_is_answered_once_in_a_while(rig: ModerationRig) -> None:
    await rig.write_policy(leaving={"cooldown_minutes": 10})
    await rig.say_all("退群", "怎么退群？", "你好")
    await rig.say_all("怎么退群", member="u2")
    await rig.say_all("怎么退群", member="u3", group="g2")
    assert [(action.group_id, action.target.member_id) for action in rig.actions()] == [("g1", "u1"), ("g2", "u3")]
    await rig.run_due(timedelta(minutes=10))
    await rig.say_all("怎麼退群", member="u2")
    assert rig.said() == [ANSWER] * 3


async def test_staff_and_groups_whose_policy_has_no_answer_get_none(rig: ModerationRig) -> None:
    await rig.say_all("怎么退群")
    await rig.write_policy(leaving={})
    await rig.say_all("怎么退群", role=Role.STAFF)
    assert rig.actions() == []


@pytest.mark.parametrize("text", ["退群", "退群！", "请问怎么退群呀", "@小惠 我要退群", "如何退群?"])
def test_questions_how_to_leave_are_recognised(text: str) -> None:
    assert asks_to_leave(normalize_reply(text), LeavingRule())


@pytest.mark.parametrize("text", ["", "别退群啊", "他退群了", "听说" * 10 + "怎么退群", "退款"])
def test_talk_about_leaving_is_no_question(text: str) -> None:
    assert not asks_to_leave(normalize_reply(text), LeavingRule())
