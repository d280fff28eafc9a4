"""Members agree to the rules by a reply, are reminded, and are not heard for ever without."""

from datetime import timedelta

import pytest

from huiqun.contracts.channel import ActionKind, Role
from huiqun.contracts.moderation import ConsentGiven, Verdict
from moderation.consent.model import (
    ConsentState,
    has_agreed,
    is_consent_reply,
    may_speak,
    normalize_reply,
    rules_version_of,
)
from moderation.policies.model import Policy
from moderation.policies.sections.consent import ConsentRule
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.rules import Rules
from tests.moderation.people import created, joined, left
from tests.moderation.rig import MONDAY, ModerationRig

RULES = "1. 文明交流。"
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "text",
    [
        "我已阅读并同意",
        "我已阅读并同意。",
        " 我 已 阅读，并同意！👌",
        "我已閱讀並同意",
        "@小惠 我已阅读并同意",
        "我已阅读并同意群规",
        "已阅读，并同意",
    ],
)
def test_a_reply_counts_whatever_its_spaces_punctuation_and_script(text: str) -> None:
    assert is_consent_reply(normalize_reply(text), ConsentRule())


@pytest.mark.parametrize("text", ["", "同意", "我不同意", "谁说“我已阅读并同意”就行？", "我已阅读并同意 加微信 abc123"])
def test_other_words_do_not_count(text: str) -> None:
    assert not is_consent_reply(normalize_reply(text), ConsentRule())


async def test_a_reply_is_kept_with_the_version_of_the_rules_and_told_to_the_other_services(
    rig: ModerationRig,
) -> None:
    await rig.write_policy(rules_text=RULES, consent={})
    await rig.deliver(created(), joined("u1"))
    await rig.run_due(timedelta(minutes=1))
    assert rig.said() == ["请阅读群规，并在群内回复“我已阅读并同意”。"]
    await rig.say_all("我已閱讀並同意！", "我已阅读并同意")
    (consent,) = await rig.documents("consents")
    assert consent["rules_version"] == rules_version_of(MembershipRules(rules_text=RULES))
    assert (consent["policy_version"], consent["given_by"]) == ("default@1", "reply")
    (given,) = rig.data_of(ConsentGiven)
    assert (given.group_id, given.member_id, given.given_by) == ("g1", "u1", "reply")
    (member,) = await rig.documents("members")
    assert member["agreed_to"] == consent["rules_version"]


async def test_a_reply_of_somebody_nobody_saw_coming_counts_too(rig: ModerationRig) -> None:
    await rig.write_policy(rules_text=RULES, consent={})
    await rig.say_all("我已阅读并同意", member="u9")
    await rig.say_all("我已阅读并同意", member="staff-1", role=Role.STAFF)
    assert [consent["member_id"] for consent in await rig.documents("consents")] == ["u9"]


async def test_who_does_not_reply_is_reminded_in_private_and_then_left_alone(rig: ModerationRig) -> None:
    await rig.write_policy(rules_text=RULES, consent={"remind_after_hours": 24, "reminders": 2})
    await rig.deliver(joined("u1"), joined("u2"), joined("u3"))
    await rig.run_due(timedelta(hours=1))
    await rig.say_all("我已阅读并同意", member="u2")
    await rig.deliver(left("u3", at=rig.clock.moment))
    await rig.run_due(timedelta(days=10))
    reminded = [action for action in rig.actions() if action.kind is ActionKind.SEND_PRIVATE]
    assert [action.target.member_id for action in reminded] == ["u1", "u1"]
    assert reminded[0].content.startswith("您好，您还没有确认所在群的群规。")
    assert [task["kind"] for task in await rig.documents("tasks")] == []


async def test_without_consent_messages_are_blocked_after_the_grace_and_the_member_is_told_how_to_be_heard(
    rig: ModerationRig,
) -> None:
    await rig.write_policy(rules_text=RULES, consent={"verdict": "block", "grace_hours": 1, "reminders": 0})
    await rig.deliver(created(), joined("u1"))
    await rig.run_due(timedelta(minutes=30))
    await rig.say_all("你好")
    await rig.run_due(timedelta(minutes=40))
    await rig.say_all("在吗", "请问利率多少")
    await rig.say_all("有人吗")
    assert [message.verdict for message in rig.screened] == ["allow", "block", "block", "block"]
    assert rig.screened[-1].reasons[0].rule == "consent"
    assert len(rig.said(ActionKind.DELETE_MESSAGE)) == 3
    assert rig.said(ActionKind.SEND_PRIVATE) == [
        "您好，您还没有确认“理财一群”的群规，刚才的发言已提请撤回。确认后即可正常发言。\n\n请阅读群规，并在群内回复“我已阅读并同意”。"
    ]
    assert not (await rig.documents("standings"))[0].get("strikes")
    await rig.run_due(timedelta(hours=1))
    await rig.say_all("还在吗")
    assert len(rig.said(ActionKind.SEND_PRIVATE)) == 2
    await rig.say_all("我已阅读并同意", "谢谢")
    assert [message.verdict for message in rig.screened][-2:] == ["allow", "allow"]


async def test_members_who_were_never_asked_may_write(rig: ModerationRig) -> None:
    await rig.deliver(joined("u1"))
    await rig.write_policy(rules_text=RULES, consent={"verdict": "block", "grace_hours": 0})
    await rig.run_due(timedelta(days=3))
    await rig.say_all("你好")
    await rig.say_all("你好", member="u2")
    assert {message.verdict for message in rig.screened} == {Verdict.ALLOW}


async def test_changed_rules_ask_again_where_the_policy_says_so(rig: ModerationRig) -> None:
    consent = {"verdict": "warn", "grace_hours": 2, "reminders": 1, "renew": True}
    await rig.write_policy(rules_text=RULES, consent=consent)
    await rig.deliver(created(), joined("u1"))
    await rig.run_due(timedelta(minutes=1))
    await rig.say_all("我已阅读并同意")
    await rig.write_policy(rules_text=RULES + "\n2. 不发广告。", consent=consent)
    (posted,) = rig.said(reason="rules")
    assert posted.startswith("群规已更新，请各位成员阅读并遵守。\n\n【群规】\n1. 文明交流。\n2. 不发广告。\n\n")
    assert posted.endswith("请阅读群规，并在群内回复“我已阅读并同意”。")
    await rig.say_all("知道了")
    await rig.run_due(timedelta(hours=3))
    await rig.say_all("好的")
    assert [message.verdict for message in rig.screened] == ["allow", "allow", "warn"]
    await rig.run_due(timedelta(days=2))
    assert len(rig.said(ActionKind.SEND_PRIVATE, "consent")) == 2  # how to be heard, and one reminder
    await rig.say_all("我已阅读并同意")
    assert len({consent["rules_version"] for consent in await rig.documents("consents")}) == 2


async def test_who_can_agree_by_a_link_is_asked_for_nothing_else_and_told_of_other_rules_as_such(
    rig: ModerationRig,
) -> None:
    consent = {"by_link": True, "renew": True, "reminders": 1}
    await rig.write_policy(rules_text=RULES, consent=consent)
    await rig.deliver(created(), joined("u1"))
    await rig.run_due(timedelta(minutes=1))
    await rig.run_due(timedelta(days=1))
    await rig.write_policy(rules_text="1. 不发广告。", consent=consent)
    assert rig.said() == [
        "请打开私信发给您的链接，阅读并确认群规。",
        "群规已更新，请各位成员阅读并遵守。\n\n【群规】\n1. 不发广告。\n\n请打开私信发给您的链接，阅读并确认群规。",
    ]
    assert [text.partition("https://")[0] for text in rig.said(ActionKind.SEND_PRIVATE)] == [
        "欢迎加入“理财一群”！请打开链接阅读并确认群规：",
        "您好，您还没有确认“理财一群”的群规，请打开链接阅读并确认：",
        "“理财一群”的群规已更新，请打开链接阅读并重新确认：",
    ]


async def test_changed_rules_ask_nobody_again_unless_the_policy_says_so(rig: ModerationRig) -> None:
    consent = {"verdict": "block", "grace_hours": 0}
    await rig.write_policy(rules_text=RULES, consent=consent)
    await rig.deliver(joined("u1"))
    await rig.run_due(timedelta(minutes=1))
    await rig.say_all("我已阅读并同意")
    await rig.write_policy(rules_text="完全不同的群规", consent=consent)
    await rig.run_due(timedelta(days=1))
    await rig.say_all("你好")
    assert rig.screened[-1].verdict is Verdict.ALLOW


def test_staff_members_of_other_policies_and_who_has_time_left_may_speak() -> None:
    asked = ConsentState("g1", "u1", asked_at=MONDAY)
    strict = ConsentRule(verdict=Verdict.BLOCK, grace_hours=1)
    policy = Policy("p", 1, Rules(membership=MembershipRules(rules_text=RULES, consent=strict)))
    assert may_speak(asked, Role.CUSTOMER, policy, MONDAY + HOUR / 2)
    assert not may_speak(asked, Role.CUSTOMER, policy, MONDAY + HOUR)
    assert may_speak(ConsentState("g1", "s1", asked_at=MONDAY), Role.STAFF, policy, MONDAY + HOUR)
    assert may_speak(None, Role.CUSTOMER, policy, MONDAY + HOUR)
    assert may_speak(asked, Role.CUSTOMER, Policy("p", 1, Rules()), MONDAY + HOUR)
    mild = Policy("p", 1, Rules(membership=MembershipRules(rules_text=RULES, consent=ConsentRule())))
    assert may_speak(asked, Role.CUSTOMER, mild, MONDAY + HOUR)
    assert not has_agreed(asked, mild.rules.membership)
