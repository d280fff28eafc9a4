"""Newcomers: what they may not do yet, and what counts as having said something."""

from datetime import timedelta

from tests.moderation.verdicts.test_judging import NOON, Member, rules_of


def test_newcomers_lead_nobody_outside_until_they_have_been_here_and_have_said_something() -> None:
    member = Member(probation={"hours": 24, "messages": 2}, links={"allowed_domains": ["bank.example.com"]})
    assert rules_of(member.says("见 bank.example.com")) == ["probation"]
    for text in ("收到", "收到", "好的"):
        member.says(text)
    next_week = NOON + timedelta(days=7)
    assert rules_of(member.says("见 bank.example.com", next_week)) == ["probation"]
    member.says("请问理财产品的起购金额是多少", next_week)
    member.says("那么赎回需要几个工作日呢", next_week)
    assert rules_of(member.says("见 bank.example.com", next_week)) == []


def test_what_something_follows_from_counts_for_no_trust() -> None:
    member = Member(
        probation={"hours": 0, "messages": 2}, links={}, contacts={"shadow": True}, lexicon={"categories": {}}
    )
    for number in range(5):
        assert "probation" in rules_of(member.says(f"大家都来看看 https://evil{number}.top/abc"))
    assert member.standing is not None
    assert member.standing.substantial == 0
    member.says("请问理财产品的起购金额是多少")
    member.says("那么赎回需要几个工作日呢")
    assert rules_of(member.says("见 https://evil.top/abc")) == ["links"]
