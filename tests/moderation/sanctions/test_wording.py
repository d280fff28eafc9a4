"""Members and staff are told in the words of the policy."""

from datetime import timedelta

import pytest

from huiqun.contracts.channel import ActionKind, Role
from moderation.policies.sections.rules import Rules
from tests.moderation.rig import SETTINGS, ModerationRig


async def test_members_and_staff_are_told_in_the_words_of_the_policy(rig: ModerationRig) -> None:
    words = {
        "warning": "{member}请注意：{category}。异议请回复{appeal}",
        "mute": "{category}，{span}，{appeal}",
        "staff": "请更正：{category}",
        "categories": {"fraud": "刷单诈骗", "promise": "保本承诺"},
    }
    rules = {
        "wording": words,
        "review": {"appeal_phrases": ["我要申诉"]},
        "staff": {"categories": {"promise": "warn"}},
    }
    rig.compose(SETTINGS.model_copy(update={"public_url": None}))  # nobody could open a link
    rig.govern(Rules.model_validate(rules))
    await rig.say_all("一起刷单", member="{u1}")
    await rig.say_all("这个保本", member="staff-9", role=Role.STAFF)
    await rig.run_due(timedelta(minutes=2))
    await rig.say_all("一起刷单", member="{u1}")
    assert rig.actions(ActionKind.SEND_MESSAGE)[0].content == "{member:{u1}}请注意：刷单诈骗。异议请回复我要申诉"
    assert rig.actions(ActionKind.NOTIFY_STAFF)[0].content == "请更正：保本承诺\n消息：11-23 12:00“这个保本”"
    assert rig.actions(ActionKind.MUTE_MEMBER)[0].content == "刷单诈骗，10 分钟，私信群主"


@pytest.mark.parametrize(
    "words", [{"warning": "{nobody}"}, {"quiet": "{member}"}, {"mute": "{member.name}"}, {"staff": ""}]
)
def test_words_that_would_fail_when_they_are_needed_are_refused_when_they_are_written(words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="wording"):
        Rules.model_validate({"wording": words})
