"""Newcomers are greeted together, once, with what they need to know."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind, Group, GroupKind, GroupUpdated, Role
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.envelope import Event
from moderation.membership.model.words import addressed
from tests.moderation.membership.people import created, joined, left
from tests.moderation.rig import MONDAY, ModerationRig

WELCOME = {"text": "欢迎 {name} 加入{group}！", "guide": "提问请 @小惠。", "safety": "勿发证件号。"}
RULES = "1. 文明交流。\n2. 不发广告。"


async def test_who_comes_within_the_window_is_greeted_in_one_message_with_rules_guide_and_safety(
    rig: ModerationRig,
) -> None:
    await rig.write_policy(rules_text=RULES, welcome=WELCOME)
    await rig.deliver(created(), joined("u1", name="张三"), joined("u2", name="李四"))
    await rig.run_due(timedelta(seconds=29))
    await rig.deliver(joined("u3", name="王五", at=rig.clock.moment))
    assert rig.said() == []
    await rig.run_due(timedelta(seconds=1))
    assert rig.said() == [
        f"欢迎 张三、李四、王五 加入理财一群！\n\n【群规】\n{RULES}\n\n提问请 @小惠。\n\n勿发证件号。"
    ]
    await rig.run_due(timedelta(hours=1))
    assert len(rig.said()) == 1


async def test_who_comes_after_the_window_is_greeted_by_the_next_message(rig: ModerationRig) -> None:
    await rig.write_policy(welcome=WELCOME)
    await rig.deliver(joined("u1", name="张三"))
    await rig.run_due(timedelta(seconds=40))
    await rig.deliver(joined("u2", name="李四", at=rig.clock.moment))
    await rig.run_due(timedelta(seconds=40))
    assert [text.split(" ")[1] for text in rig.said()] == ["张三", "李四"]


async def test_nobody_is_greeted_unless_the_policy_has_words_for_it(rig: ModerationRig) -> None:
    await rig.deliver(created(), joined("u1"))
    await rig.run_due(timedelta(days=10))
    assert rig.emitted(Event) == []


async def test_staff_who_left_again_and_old_news_are_not_greeted(rig: ModerationRig) -> None:
    await rig.write_policy(welcome=WELCOME)
    await rig.deliver(
        joined("staff-7", role=Role.STAFF),
        joined("u1"),
        left("u1", at=MONDAY + timedelta(seconds=5)),
        joined("u2", at=MONDAY - timedelta(days=2)),
    )
    await rig.run_due(timedelta(hours=1))
    assert rig.said() == []


async def test_a_join_that_is_told_twice_is_greeted_once(rig: ModerationRig) -> None:
    await rig.write_policy(welcome=WELCOME)
    again = MONDAY + timedelta(seconds=50)
    await rig.deliver(joined("u1", name="张三"))
    await rig.run_due(timedelta(minutes=1))
    await rig.deliver(joined("u1", name="张三", at=again))
    await rig.run_due(timedelta(minutes=1))
    assert len(rig.said()) == 1


async def test_a_name_that_advertises_is_not_repeated_to_the_group(rig: ModerationRig) -> None:
    await rig.write_policy(welcome=WELCOME)
    await rig.deliver(joined("u1", name="兼职加微信 abc12345"), joined("u2", name="张三"))
    await rig.run_due(timedelta(minutes=1))
    assert "欢迎 张三 等 2 位新朋友 加入本群！" in rig.said()[0]


async def test_two_groups_are_greeted_apart_and_one_newcomer_is_addressed(rig: ModerationRig) -> None:
    await rig.write_policy(welcome=WELCOME)
    await rig.deliver(joined("u1", "g1"), joined("u2", "g2"), joined("u3", "g2"))
    await rig.run_due(timedelta(minutes=1))
    targets = {action.group_id: action.target.member_id for action in rig.actions()}
    assert targets == {"g1": "u1", "g2": None}


async def test_a_greeting_whose_task_was_lost_does_not_silence_the_group_for_ever(rig: ModerationRig) -> None:
    await rig.write_policy(welcome=WELCOME)
    await rig.deliver(joined("u1", name="张三"))
    await rig.database["tasks"].delete_many({})
    await rig.run_due(timedelta(hours=2))
    await rig.deliver(joined("u2", name="李四", at=rig.clock.moment))
    await rig.run_due(timedelta(minutes=1))
    assert "张三、李四" in rig.said(ActionKind.SEND_MESSAGE)[0]


def test_many_newcomers_are_named_in_part() -> None:
    some = addressed({**dict.fromkeys("abcdef", True), "g": False})
    assert some.content == "{member:a}、{member:b}、{member:c}、{member:d}、{member:e} 等 7 位新朋友"
    assert some.members == tuple("abcde")
    assert addressed({"a": False}) == AddressedText("新朋友")
    assert addressed({"a": False, "b": False}) == AddressedText("2 位新朋友")


async def test_in_a_private_group_nobody_is_welcomed_and_no_rules_are_posted(rig: ModerationRig) -> None:
    private = GroupUpdated.create("g1", Group(group_id="g1", kind=GroupKind.PRIVATE, owner="staff-1"), time=MONDAY)
    await rig.deliver(private)
    await rig.keeper.refresh()
    await rig.write_policy(rules_text=RULES, welcome=WELCOME, consent={}, posting={"schedule": "0 10 * * MON"})
    await rig.deliver(joined("u1"))
    await rig.run_due(timedelta(days=8))
    assert rig.actions() == []
