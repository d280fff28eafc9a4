"""What stands in a field although nothing is known, told from what names somebody."""

import pytest

from huiqun.runtime.placeholders import is_distinctive, is_placeholder

NOTHING = """
unknown Unknown UNKNOWN null NULL (null) none None n/a N/A NA #N/A nan NaN nil undefined [undefined]
- -- _ . … ? * ** *** 0 00 0000000 00000000-0000-0000-0000-000000000000 empty "" '' {} [] <null> ｎｕｌｌ ＵＮＫＮＯＷＮ
unknown_user unknownuser no-unionid unknown.member not_set guest anonymous default test
未知 未知用户 无 暂无 没有 空 不详 匿名 匿名用户 游客 微信用户 默认用户 （无） 【未知】
"""
NAMES = """
u1 u9 7 10 1000 a tang wm-1 union-1 user1 user-1 user-0 member7 x1 ozynqsulJFCZ2z wmXk3f0AAAQ9b
王女士 张无忌 吴明 nolan nullah testarossa anna guestino union unionid-1 王测试1
"""
TOO_PLAIN = """
1 ab xyz aaaa 1111 ------ xxxxxxxx 12345 123456 1234567890 87654321 abcdefg fedcba f-f-f-f unionid openid user_id
用户昵称
"""


@pytest.mark.parametrize("text", ["", " ", "\t", "\u200b", *NOTHING.split()])
def test_what_says_that_nothing_is_known_is_a_placeholder(text: str) -> None:
    assert is_placeholder(text)
    assert not is_distinctive(text)


@pytest.mark.parametrize("text", NAMES.split())
def test_what_names_somebody_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


@pytest.mark.parametrize("text", TOO_PLAIN.split())
def test_what_is_too_short_or_only_counts_tells_nobody_apart(text: str) -> None:
    assert not is_distinctive(text)


@pytest.mark.parametrize("text", ["wm-1", "union-1", "ozynqsulJFCZ2z", "wmXk3f0AAAQ9b", "1000203", "20261122", "g0a1"])
def test_what_is_long_and_varied_enough_can_tell_people_apart(text: str) -> None:
    assert is_distinctive(text)
