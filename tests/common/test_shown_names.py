"""What members and groups call themselves is repeated only as far as it is a name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqun.contracts.channel.shown_names import MAX_NAME, clean_group_name, clean_name

ACCENT = "\u0301"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("李女士", "李女士"),
        ("  A\n B  ", "A B"),
        ("王\r\n\u2028明\x85\x0b", "王 明"),
        ("沈岚-理财经理", "沈岚-理财经理"),
        ("官方客服小李", "官方客服小李"),
        ("买买提·阿里", "买买提·阿里"),
        ("O'Brien", "O'Brien"),
        ("J.R. Smith", "J R Smith"),
        ("Mr.Li", "Mr Li"),
        ("Tom123", "Tom123"),
        ("tom_88", "tom_88"),
        ("Ｔｏｍ", "Tom"),
        ("Allen", "Allen"),
        ("alice", "alice"),
        ("José", "José"),
        ("นที", "นที"),
        ("李🌸", "李🌸"),
        ("a @ b＠c﹫d", "a b c d"),
        ("【王明】「经理」“认证”<b>x</b>", "王明 经理 认证 b x b"),
        ("{member:owner1}", "member owner1"),
        ("王明✅☑", "王明"),
        ("\u202e王\u2066明\u200b\ufeff\u00ad", "王明"),
        ("王" * 30, "王" * (MAX_NAME - 1) + "…"),
        ("a" + ACCENT * 300, "á" + ACCENT * 2),
        ("🇨🇳" * 50 + "王", "王"),
        ("王\ud83d明", "王明"),
        ("王\x1b[31m明\x1b]0;x\x07", "王 31m明 0 x"),
    ],
)
def test_a_name_is_shown_as_one_short_line_without_signs(name: str, shown: str) -> None:
    assert clean_name(name) == shown


@pytest.mark.parametrize(
    "name",
    [
        "@所有人 您好",
        "＠所有人",
        "所 有 人",
        "所\u200b有\u2060人",
        "所_有.人 请看",
        "全体成员",
        "全體成員",
        "@all",
        "ＡＬＬ",
        "a\u200dl\ufeffl",
        "A l l",
        "𝐚𝐥𝐥 members",
        "аll",  # with a Cyrillic letter
        "🅰🅻🅻",
        "🇦 🇱 🇱",
        "á" + ACCENT * 5 + "ll",
        "Everyone 看这里",
        "@everybody",
        "here",
        "大家好",
    ],
)
def test_who_calls_himself_everybody_is_not_called_so(name: str) -> None:
    assert clean_name(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "加微信abc12345领红包",
        "@加微信abc12345领红包 http://x.example【官方公告】请转账",
        "王姐 薇信同号",
        "w e i x i n lily",
        "微❤️信",
        "加V lily88",
        "V：lilyabc",
        "看我主页 vx888",
        "wx-lily",
        "+微 lily",
        "ＱＱ ８８８８８",
        "扣扣小王",
        "企鹅號",
        "tg lily",
        "Telegram",
        "13812345678",
        "１３８-1234-5678",
        "①③⑧①②③④⑤⑥⑦⑧",
        "❶❸❽❶❷",
        "一三八一二三四五六七八",
        "客服热线：95588",
        "ＷＷＷ．abc．ｃｏｍ",
        "hｔｔps://x.cn",
        "evil.example",
        "t.me/abc",
        "bit。ly王.com",
        "x点com",
        "例子.中国",
        "lily@example.com",
        "11010519491231002X",
        "【官方公告】请转账",
        "系统 通知",
        "領紅包",
        "扫码进群",
    ],
)
def test_a_name_that_advertises_or_announces_is_not_repeated(name: str) -> None:
    assert clean_name(name) == ""


@pytest.mark.parametrize(
    "name", ["", " ", "@", "【】", "\u3164", "\u2800\u200b", "\u202e", ACCENT * 300, "🇨🇳", "✅", "...", "\0"]
)
def test_of_a_name_without_anything_to_see_nothing_is_left(name: str) -> None:
    assert clean_name(name) == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("惠民银行·理财交流1群（官方）", "惠民银行·理财交流1群 官方"),
        ("网点 00123 公告群", "网点 00123 公告群"),
        ("@所有人【紧急】\n群", "所有人 紧急 群"),
        ("加微信abc12345", ""),
        ("点 http://x.cn 领奖", ""),
        ("{member:owner1}", "member owner1"),
    ],
)
def test_the_name_of_a_group_may_have_a_number_but_leads_nowhere(name: str, shown: str) -> None:
    assert clean_group_name(name) == shown


@given(st.text(max_size=400))
def test_whatever_a_name_is_nothing_in_what_is_shown_of_it_can_do_harm(name: str) -> None:
    for shown in (clean_name(name), clean_group_name(name)):
        bases = [each for each in shown if not unicodedata.category(each).startswith("M")]
        assert len(bases) <= MAX_NAME
        assert len(shown) <= MAX_NAME * 3
        assert shown == shown.strip()
        assert all(each.isprintable() for each in shown)
        assert not set('@＠{}[]【】<>()（）"“”‘:/\\.,，。') & set(shown)
