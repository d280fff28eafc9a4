"""Each rule of a policy on a message: what it finds, and the verdict that follows. Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from huiqun.contracts.channel import EditedMessage, Message, MessageKind, Role, Sender
from huiqun.contracts.moderation import Screened, Verdict
from moderation.evidence.model import gather_evidence
from moderation.groups.model import GroupSettings
from moderation.lexicon.matching.matcher import EVERY_POLICY, Lexicon
from moderation.lexicon.matching.words import Word
from moderation.policies.model import Policy
from moderation.policies.sections.rules import Rules
from moderation.standings.model import Standing
from moderation.verdicts.model import Decision, judge_message

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)  # in Shanghai
LEXICON = Lexicon(
    [
        Word("w1", "刷单", "fraud", 4, allow=("谨防刷单",)),
        Word("w2", "内幕消息", "rumour", 3),
        Word("w3", "保本", "promise", 4),
        Word("w4", "过期词", "ads", 3, valid_until=date(2026, 1, 1)),
    ]
)
OFF: dict[str, Any] = {
    **dict.fromkeys(("flood", "duplicate", "links", "contacts", "personal_data", "announcements", "staff")),
    "lexicon": {"categories": {}},
}
ID_CARD = "11010519491231002X"


class Member:
    """Somebody who writes in a group with these rules; remembers what they wrote, as their standing does."""

    def __init__(self, zone: str = "Asia/Shanghai", role: Role = Role.CUSTOMER, **rules: Any) -> None:
        self.policy = Policy("p", 1, Rules(**{**OFF, **rules}))
        self.settings = GroupSettings(timezone=ZoneInfo(zone))
        self.sender = Sender(member_id="u", role=role)
        self.standing = Standing("g", "u") if role is Role.CUSTOMER else None
        self.sent = 0

    def says(self, text: str = "你好", at: datetime = NOON, **fields: Any) -> Decision:
        self.sent += 1
        return self.judged(
            Message(message_id=f"m{self.sent}", group_id="g", sender=self.sender, text=text, sent_at=at, **fields)
        )

    def edits(self, text: str, at: datetime = NOON, revision: int = 1) -> Decision:
        return self.judged(
            EditedMessage(
                message_id=f"m{self.sent}", group_id="g", sender=self.sender, text=text, sent_at=at, revision=revision
            )
        )

    def judged(self, message: Message) -> Decision:
        (evidence,) = gather_evidence([message], [EVERY_POLICY], LEXICON, NOON.date())
        return judge_message(message, self.policy, self.settings, self.standing, evidence)


def rules_of(decision: Decision) -> list[str]:
    return [found.reason.rule for found in decision.findings]


def local(zone: str, *moment: int) -> datetime:
    """A moment by the clocks of a time zone."""
    return datetime(*moment, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type,misc]


def test_a_policy_without_rules_lets_everything_pass() -> None:
    assert Member().says("刷单 加微信 abc12345 http://evil.top").verdict is Verdict.ALLOW


def test_the_quota_allows_so_many_messages_a_day_and_no_more() -> None:
    member = Member(quota={"per_day": 3, "verdict": "block"})
    verdicts = [member.says(at=NOON + timedelta(minutes=minute)).verdict for minute in range(5)]
    assert verdicts == [Verdict.ALLOW] * 3 + [Verdict.BLOCK] * 2
    assert member.says(at=NOON + timedelta(days=1)).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Asia/Shanghai", (2026, 11, 22, 23, 59, 59), (2026, 11, 23, 0, 0, 0)),
        ("America/New_York", (2026, 11, 22, 23, 59, 59), (2026, 11, 23, 0, 0, 0)),
        ("Europe/Berlin", (2026, 3, 28, 23, 59, 59), (2026, 3, 29, 0, 0, 0)),  # the day on which clocks go forward
        ("Europe/Berlin", (2026, 10, 25, 23, 59, 59), (2026, 10, 26, 0, 0, 0)),  # the day of 25 hours is over
        ("Pacific/Kiritimati", (2026, 11, 22, 23, 59, 59), (2026, 11, 23, 0, 0, 0)),
    ],
)
def test_the_quota_begins_anew_at_midnight_of_the_group(
    zone: str, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    member = Member(zone, quota={"per_day": 1})
    assert rules_of(member.says(at=local(zone, *before))) == []
    assert rules_of(member.says(at=local(zone, *before))) == ["quota"]
    assert rules_of(member.says(at=local(zone, *after))) == []


def test_a_day_of_25_hours_has_one_quota() -> None:
    member = Member("Europe/Berlin", quota={"per_day": 1})
    first = local("Europe/Berlin", 2026, 10, 25, 0, 30)
    assert rules_of(member.says(at=first)) == []
    assert rules_of(member.says(at=first + timedelta(hours=24))) == ["quota"]
    assert rules_of(member.says(at=first + timedelta(hours=25))) == []


def test_an_edited_message_is_judged_again_and_counted_once() -> None:
    member = Member(quota={"per_day": 2}, lexicon={"categories": {"fraud": "block"}})
    member.says("你好")
    for revision in range(1, 5):
        assert rules_of(member.edits("您好", revision=revision)) == []
    assert rules_of(member.edits("一起刷单", revision=9)) == ["lexicon"]
    assert rules_of(member.says("再见")) == []
    assert rules_of(member.says("再见")) == ["quota"]


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_edits_never_count_against_the_quota(edited: list[bool]) -> None:
    member = Member(quota={"per_day": 5})
    written = 0
    for number, is_edit in enumerate(edited):
        at = NOON + timedelta(minutes=number)
        if is_edit and written:
            assert rules_of(member.edits("改", at, revision=number + 1)) == []
        else:
            written += 1
            assert rules_of(member.says(at=at)) == (["quota"] if written > 5 else [])


def test_a_message_that_comes_a_day_late_counts_neither_then_nor_now() -> None:
    member = Member(quota={"per_day": 1})
    member.says(at=NOON)
    assert rules_of(member.says(at=NOON - timedelta(days=1))) == []
    assert member.standing is not None
    assert member.standing.counted == 1


def test_texts_and_voice_messages_may_be_so_long_and_no_longer() -> None:
    member = Member(length={"max_characters": 10, "max_seconds": 60})
    assert rules_of(member.says("十" * 10)) == []
    assert rules_of(member.says("十" * 11)) == ["length"]
    assert rules_of(member.says("", kind=MessageKind.VOICE, duration_seconds=60)) == []
    assert rules_of(member.says("", kind=MessageKind.VOICE, duration_seconds=60.5)) == ["length"]


def test_quiet_hours_are_those_of_the_group_s_clocks() -> None:
    shanghai = Member(quiet_hours={"start": "22:30", "end": "07:30"})
    berlin = Member("Europe/Berlin", quiet_hours={"start": "22:30", "end": "07:30"})
    night_in_shanghai = local("Asia/Shanghai", 2026, 11, 23, 0, 30)
    assert rules_of(shanghai.says(at=night_in_shanghai)) == ["quiet_hours"]
    assert rules_of(berlin.says(at=night_in_shanghai)) == []
    assert rules_of(shanghai.says(at=local("Asia/Shanghai", 2026, 11, 23, 7, 30))) == []


def test_a_flood_is_so_many_messages_within_so_many_seconds() -> None:
    member = Member(flood={"messages": 4, "seconds": 10})
    seconds = [0, 4, 8, 12, 13, 14, 40]
    found = [rules_of(member.says(f"第{second}秒", NOON + timedelta(seconds=second))) for second in seconds]
    assert found == [[], [], [], [], ["flood"], ["flood"], []]


def test_the_same_text_may_be_sent_so_often_and_no_more_and_short_ones_as_often_as_one_likes() -> None:
    member = Member(duplicate={"times": 3, "seconds": 600, "min_characters": 6})
    found = [rules_of(member.says("请问什么时候发货呢", NOON + timedelta(minutes=minute))) for minute in range(4)]
    assert found == [[], [], ["duplicate"], ["duplicate"]]
    assert rules_of(member.says("请问什么时候开门呢", NOON + timedelta(minutes=4))) == []
    assert [rules_of(member.says("收到")) for _ in range(5)] == [[]] * 5
    later = NOON + timedelta(minutes=30)
    assert rules_of(member.says("请问什么时候发货呢", later)) == []


def test_words_lead_to_what_the_policy_says_for_their_category() -> None:
    member = Member(lexicon={"categories": {"fraud": "block", "rumour": "review", "ads": "warn"}})
    decision = member.says("一起刷单，有内幕消息")
    assert decision.verdict is Verdict.BLOCK
    assert [(found.reason.category, found.outcome) for found in decision.findings] == [
        ("fraud", Verdict.BLOCK),
        ("rumour", Verdict.REVIEW),
    ]
    assert decision.leading is not None
    assert decision.leading.reason.category == "fraud"
    (start, end) = decision.leading.reason.spans[0]
    assert decision.message.text[start:end] == "刷单"
    assert member.says("有内幕消息").verdict is Verdict.REVIEW


def test_a_harmless_phrase_a_category_of_no_interest_and_an_expired_word_are_passed_over() -> None:
    member = Member(lexicon={"categories": {"fraud": "block", "ads": "block"}})
    assert rules_of(member.says("请谨防刷单")) == []
    assert rules_of(member.says("有内幕消息")) == []
    assert rules_of(member.says("过期词")) == []


def test_links_are_allowed_to_the_allowed_domains_only() -> None:
    member = Member(links={"allowed_domains": ["Bank.example.com"]})
    assert rules_of(member.says("见 https://www.bank.example.com/help")) == []
    decision = member.says("见 https://bank.example.com 或 https://bank.example.com.evil.top/x")
    assert rules_of(decision) == ["links"]
    (span,) = decision.findings[0].reason.spans
    assert "evil.top" in decision.message.text[slice(*span)]
    card = member.says("", kind=MessageKind.LINK, url="https://evil.top/card")
    assert (rules_of(card), card.findings[0].reason.spans) == (["links"], ())


def test_offers_of_contact_are_found_where_the_rule_is_on() -> None:
    assert rules_of(Member(contacts={}).says("加微 信 abc12345")) == ["contacts"]
    assert rules_of(Member().says("加微 信 abc12345")) == []


def test_personal_data_is_masked_whether_a_rule_speaks_or_not() -> None:
    for member in (
        Member(personal_data={"verdict": "block"}),
        Member(),
        Member(role=Role.STAFF),
        Member(role=Role.BOT),
    ):
        decision = member.says(f"我的身份证是{ID_CARD}，谢谢")
        assert ID_CARD not in decision.masked_text
        assert decision.masked_text.startswith("我的身份证是")
        assert decision.masked_text.endswith("，谢谢")
        assert ID_CARD not in decision.screened("v1").model_dump_json()
    assert rules_of(Member(personal_data={}).says(ID_CARD)) == ["personal_data"]


def test_only_staff_make_announcements() -> None:
    assert rules_of(Member(announcements={}).says("【官方通知】今晚系统升级")) == ["announcements"]
    assert rules_of(Member(announcements={}).says("请问今天有通知吗")) == []
    assert Member(announcements={}, role=Role.STAFF).says("【官方通知】今晚系统升级").verdict is Verdict.ALLOW


def test_forbidden_kinds_of_messages_are_found() -> None:
    member = Member(kinds={"forbidden": ["mini_program"]})
    assert rules_of(member.says("", kind=MessageKind.MINI_PROGRAM)) == ["kinds"]
    assert rules_of(member.says("", kind=MessageKind.IMAGE)) == []


def test_staff_are_judged_by_the_rules_for_staff_alone() -> None:
    rules: dict[str, Any] = {
        "staff": {"categories": {"promise": "review"}},
        "lexicon": {"categories": {"fraud": "block"}},
        "quota": {"per_day": 1},
    }
    staff = Member(role=Role.STAFF, **rules)
    assert [staff.says("一起刷单").verdict for _ in range(3)] == [Verdict.ALLOW] * 3
    assert staff.says("这个产品保本").verdict is Verdict.REVIEW
    assert Member(role=Role.BOT, **rules).says("保本刷单").verdict is Verdict.ALLOW


def test_the_severest_outcome_is_the_verdict_and_all_reasons_are_named() -> None:
    member = Member(
        quota={"per_day": 1, "verdict": "warn"},
        length={"max_characters": 10},
        lexicon={"categories": {"rumour": "review"}},
    )
    member.says()
    decision = member.says("这里有一条很长很长的内幕消息")
    assert decision.verdict is Verdict.REVIEW
    assert set(rules_of(decision)) == {"quota", "length", "lexicon"}
    screened = decision.screened("v7")
    assert (screened.policy_version, screened.lexicon_version, screened.verdict) == ("p@1", "v7", Verdict.REVIEW)
    assert len(screened.reasons) == 3


@given(st.text(max_size=300), st.datetimes(datetime(2012, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001 - given a zone below
def test_any_text_at_any_time_gets_a_verdict(text: str, moment: datetime) -> None:
    member = Member(
        quota={"per_day": 1},
        flood={},
        duplicate={},
        links={},
        contacts={},
        personal_data={},
        announcements={},
        quiet_hours={"start": "22:00", "end": "06:00"},
        lexicon={"categories": {"fraud": "block"}},
    )
    decision = member.says(text, moment.replace(tzinfo=UTC))
    assert (decision.verdict is Verdict.ALLOW) == (not decision.findings)
    screened = decision.screened("v1")
    assert Screened.model_validate(screened.model_dump()) == screened
    for found in decision.findings:
        for start, end in found.reason.spans:
            assert 0 <= start < end <= len(text)
