"""Members are told whole reasons, in their policy's words where it has some."""

from datetime import UTC, datetime

import pytest

from moderation.notices.model import Offence, personal_data_notice
from moderation.policies.sections.wording import Wording

WARNING = "{member:u1}您好，您在本群的发言不符合群规（"


def warned(category: str, wording: Wording | None = None) -> str:
    offence = Offence("g1", "u1", "m1", category, datetime(2026, 11, 23, tzinfo=UTC), wording=wording or Wording())
    return offence.compose_text(offence.wording.warning, appeal="申诉").content.removeprefix(WARNING).partition("）")[0]


@pytest.mark.parametrize(
    ("category", "reason"),
    [
        ("length", "发言过长"),
        ("quota", "超出每日发言条数"),
        ("ads", "发布广告"),
        ("id_card", "发送身份证号"),
        ("gossip", "gossip"),
    ],
)
def test_a_warning_says_what_the_member_did(category: str, reason: str) -> None:
    assert warned(category) == reason


def test_a_policy_may_say_it_in_other_words() -> None:
    wording = Wording(categories={"gossip": "传播小道消息", "mobile": "电话号码"})
    assert (warned("gossip", wording), warned("mobile", wording)) == ("传播小道消息", "发送电话号码")


def test_who_has_sent_personal_data_is_told_what_not_to_send() -> None:
    offence = Offence("g1", "u1", "m1", "id_card", datetime(2026, 11, 23, tzinfo=UTC))
    notice = personal_data_notice(offence)
    assert notice.content.startswith("您好，为保护您的信息安全，请勿在群内发送身份证号；")
