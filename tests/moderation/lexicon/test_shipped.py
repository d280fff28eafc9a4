"""The lexicon Huiqun comes with."""

from collections import Counter

import pytest

from moderation.lexicon.handlers import shipped_background, shipped_words
from moderation.lexicon.matching.matcher import Lexicon
from moderation.lexicon.model import CATEGORIES

WORDS = shipped_words()
LEXICON = Lexicon(WORDS)


def test_every_category_has_words_and_no_word_is_there_twice() -> None:
    counted = Counter(word.category for word in WORDS)
    assert set(counted) == set(CATEGORIES)
    assert min(counted.values()) >= 80
    assert len({word.id for word in WORDS}) == len(WORDS)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("想赚钱的加薇 abc123", "solicitation"),
        ("加V信领资料", "solicitation"),
        ("加ｖ·信", "solicitation"),
        ("扣扣号 10086", "solicitation"),
        ("有兴趣的扫 码 进 群", "solicitation"),
        ("威信号 abc", "solicitation"),
        ("兼職刷單，日結", "fraud"),
        ("老师带单稳賺不賠", "fraud"),
        ("信用卡套*现找我", "fraud"),
        ("高价收购银行卡", "fraud"),
        ("你这个傻🙂逼", "abuse"),
        ("ＮＭＳＬ", "abuse"),
        ("明天去银行门口拉横幅", "politics"),
        ("约·炮", "obscenity"),
        ("信不信我砍死你", "violence"),
        ("银行要倒闭了，赶紧取钱", "rumour"),
        ("诚招代理，日入过千", "ads"),
    ],
)
def test_what_a_group_must_not_read_is_found(text: str, category: str) -> None:
    assert category in {hit.category for hit in LEXICON.scan_texts([text])[0]}


@pytest.mark.parametrize(
    "text",
    [
        "请问路口交易大厅几点开门",
        "物业费可以一次性交清吗",
        "他在村里很有威信",
        "请把材料从入口，交给大堂经理",
        "我妈的卡丢了，身份证在我手里",
        "谨防刷单诈骗，不要轻信陌生来电",
        "增加微信支付的限额怎么操作",
        "我操作了好几次都不行",
        "收到假币怎么办",
        "今日你行的利率是多少",
        "ATM机取不出钱，提示余额不足",
        "加visa卡要年费吗",
        "手续费重复扣扣了两次",
        "勒索病毒会影响网银吗",
        "周末日程安排",
        "人质疑这个收费",
        "打手机银行客服",
        "我想加急办理",
        "请帮我查一下最近三个月的流水",
        "银行卡收卡费吗",
    ],
)
def test_ordinary_talk_in_a_bank_s_group_passes(text: str) -> None:
    assert [(hit.word_id, hit.category) for hit in LEXICON.scan_texts([text])[0]] == []


FUZZY = Lexicon(WORDS, fuzzy=1, background=shipped_background())


def test_no_guess_is_made_about_the_benign_background() -> None:
    background = shipped_background()
    assert len(background) >= 500
    assert all(hit.match_kind.is_exact for hits in FUZZY.scan_texts(background) for hit in hits)


@pytest.mark.parametrize("text", ["➕v❤", "有意者jia wei xin", "力口微信", "佳威欣聊", "弓虽女干", "刷刷单单返返利利"])
def test_disguises_of_shipped_words_are_found(text: str) -> None:
    assert FUZZY.scan_texts([text])[0]
