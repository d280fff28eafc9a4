"""Newcomers are greeted together, once, with what they need to know."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind, Group, GroupKind, GroupUpdated, Role
from huiqun.contracts.channel.mentions import AddressedText
from moderation.membership.model.words import addressed
from tests.moderation.membership.community import NOON, Community, created, joined, left

WELCOME = {"text": "欢迎 {name} 加入{group}！", "guide": "提问请 @小惠。", "safety": "勿发证件号。"}
RULES = "1. 文明交流。\n2. 不发广告。"


async def test_who_comes_within_the_window_is_greeted_in_one_message_with_rules_guide_and_safety(
    community: Community,
) -> None:
    await community.write_policy(rules_text=RULES, welcome=WELCOME)
    await community.deliver(created(), joined("u1", name="张三"), joined("u2", name="李四"))
    await community.pass_time(seconds=29)
    await community.deliver(joined("u3", name="王五", at=community.clock.now()))
    assert community.said() == []
    await community.pass_time(seconds=1)
    assert community.said() == [
        f"欢迎 张三、李四、王五 加入理财一群！\n\n【群规】\n{RULES}\n\n提问请 @小惠。\n\n勿发证件号。"
    ]
    await community.pass_time(hours=1)
    assert len(community.said()) == 1


async def test_who_comes_after_the_window_is_greeted_by_the_next_message(community: Community) -> None:
    await community.write_policy(welcome=WELCOME)
    await community.deliver(joined("u1", name="张三"))
    await community.pass_time(seconds=40)
    await community.deliver(joined("u2", name="李四", at=community.clock.now()))
    await community.pass_time(seconds=40)
    assert [text.split(" ")[1] for text in community.said()] == ["张三", "李四"]


async def test_nobody_is_greeted_unless_the_policy_has_words_for_it(community: Community) -> None:
    await community.deliver(created(), joined("u1"))
    await community.pass_time(days=10)
    assert community.emitted == []


async def test_staff_who_left_again_and_old_news_are_not_greeted(community: Community) -> None:
    await community.write_policy(welcome=WELCOME)
    await community.deliver(
        joined("staff-7", role=Role.STAFF),
        joined("u1"),
        left("u1", at=NOON + timedelta(seconds=5)),
        joined("u2", at=NOON - timedelta(days=2)),
    )
    await community.pass_time(hours=1)
    assert community.said() == []


async def test_a_join_that_is_told_twice_is_greeted_once(community: Community) -> None:
    await community.write_policy(welcome=WELCOME)
    again = NOON + timedelta(seconds=50)
    await community.deliver(joined("u1", name="张三"))
    await community.pass_time(minutes=1)
    await community.deliver(joined("u1", name="张三", at=again))
    await community.pass_time(minutes=1)
    assert len(community.said()) == 1


async def test_a_name_that_advertises_is_not_repeated_to_the_group(community: Community) -> None:
    await community.write_policy(welcome=WELCOME)
    await community.deliver(joined("u1", name="兼职加微信 abc12345"), joined("u2", name="张三"))
    await community.pass_time(minutes=1)
    assert "欢迎 张三 等 2 位新朋友 加入本群！" in community.said()[0]


async def test_two_groups_are_greeted_apart_and_one_newcomer_is_addressed(community: Community) -> None:
    await community.write_policy(welcome=WELCOME)
    await community.deliver(joined("u1", "g1"), joined("u2", "g2"), joined("u3", "g2"))
    await community.pass_time(minutes=1)
    targets = {action.group_id: action.target.member_id for action in community.actions}
    assert targets == {"g1": "u1", "g2": None}


async def test_a_greeting_whose_task_was_lost_does_not_silence_the_group_for_ever(community: Community) -> None:
    await community.write_policy(welcome=WELCOME)
    await community.deliver(joined("u1", name="张三"))
    await community.transactor.database["tasks"].delete_many({})
    await community.pass_time(hours=2)
    await community.deliver(joined("u2", name="李四", at=community.clock.now()))
    await community.pass_time(minutes=1)
    assert "张三、李四" in community.said(ActionKind.SEND_MESSAGE)[0]


def test_many_newcomers_are_named_in_part() -> None:
    some = addressed({**dict.fromkeys("abcdef", True), "g": False})
    assert some.content == "{member:a}、{member:b}、{member:c}、{member:d}、{member:e} 等 7 位新朋友"
    assert some.members == tuple("abcde")
    assert addressed({"a": False}) == AddressedText("新朋友")
    assert addressed({"a": False, "b": False}) == AddressedText("2 位新朋友")


async def test_in_a_private_group_nobody_is_welcomed_and_no_rules_are_posted(community: Community) -> None:
    private = GroupUpdated.about("g1", Group(group_id="g1", kind=GroupKind.PRIVATE, owner="staff-1"), time=NOON)
    await community.deliver(private)
    await community.keeper.refresh()
    await community.write_policy(rules_text=RULES, welcome=WELCOME, consent={}, posting={"schedule": "0 10 * * MON"})
    await community.deliver(joined("u1"))
    await community.pass_time(days=8)
    assert community.actions == []
