"""Finding words however they are spelt, and only where they are meant."""

from datetime import date

import hypothesis.strategies as st
import pytest
from hypothesis import given

from moderation.lexicon.matching.folding import fold_text, strip_text
from moderation.lexicon.matching.match_kinds import MatchKind
from moderation.lexicon.matching.matcher import MAX_HITS, Lexicon, LexiconHit
from moderation.lexicon.matching.words import Word


def word(text: str, category: str = "ads", severity: int = 3, **rest: object) -> Word:
    return Word(id=text, text=text, category=category, severity=severity, **rest)  # type: ignore[arg-type]


WORDS = (
    word("加微信", "solicitation", 4, allow=("加微信支付",)),
    word("加微", "solicitation"),
    word("加v", "solicitation", allow=("加vip",)),
    word("vx", "solicitation"),
    word("t.me", "solicitation"),
    word("口交", "obscenity", 5, allow=("路口交易", "入口交")),
    word("sm", "obscenity"),
    word("3p", "obscenity"),
    word("傻逼", "abuse", 4),
    word("刷单返利", "fraud", 5),
)
LEXICON = Lexicon(WORDS)
ODD_TEXT = st.text(alphabet=st.characters() | st.sampled_from("加微信傻逼路口交易vxsm3pt.\0"), max_size=50)


def hits(text: str, lexicon: Lexicon = LEXICON) -> list[tuple[str, str]]:
    return [(hit.word_id, text[hit.start : hit.end]) for hit in lexicon.scan_texts([text])[0]]


@pytest.mark.parametrize(
    ("text", "word_id", "span"),
    [
        ("请加微信聊", "加微信", "加微信"),
        ("請加 微·信聊", "加微信", "加 微·信"),
        ("加\u200b微\u0336信", "加微信", "加\u200b微\u0336信"),
        ("加🙂微🙂信", "加微信", "加🙂微🙂信"),
        ("加，微，信", "加微信", "加，微，信"),
        ("加Ｖ聊", "加v", "加Ｖ"),
        ("加ⓥ", "加v", "加ⓥ"),
        ("ＶＸ12345", "vx", "ＶＸ"),
        ("傻\ud800逼", "傻逼", "傻\ud800逼"),
        ("傻\0逼", "傻逼", "傻\0逼"),
        ("点t.me/abc", "t.me", "t.me"),
        ("来SM吧", "sm", "SM"),
        ("I love sm.", "sm", "sm"),
        ("ѕм", "sm", "ѕм"),
        ("加ν", "加v", "加ν"),
        ("找\u202e信微加\u202c聊", "加微信", "信微加"),
        ("\u202e聊Ｖ·加", "加v", "Ｖ·加"),
    ],
)
def test_a_disguised_word_is_found_at_its_place_in_the_original(text: str, word_id: str, span: str) -> None:
    assert hits(text) == [(word_id, span)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "今天利率多少",
        "在路口交易",
        "在路口，交易",
        "路 口 交 易",
        "请插到口，交给柜员",
        "small",
        "s m a l l",
        "was mine",
        "加VIP",
        "加visa卡",
        "13p",
        "time",
        "tme",
        "更加微信支付",
        "加微信支付",
    ],
)
def test_harmless_text_is_left_alone(text: str) -> None:
    lexicon = Lexicon([each for each in WORDS if each.id != "加微"])
    assert hits(text, lexicon) == []


def test_a_text_that_has_excused_and_meant_places_keeps_the_meant_one() -> None:
    assert hits("路口交易后口交") == [("口交", "口交")]


def test_each_hit_tells_stream_and_confidence() -> None:
    plain, stripped = LEXICON.scan_texts(["傻逼", "傻*逼"])
    assert plain == (LexiconHit(WORDS[8], MatchKind.FOLDED, 0, 2),)
    assert stripped == (LexiconHit(WORDS[8], MatchKind.STRIPPED, 0, 3),)
    assert (plain[0].confidence, stripped[0].confidence) == (1.0, 0.95)
    assert (plain[0].category, plain[0].severity) == ("abuse", 4)


def test_the_longest_of_nested_hits_stands_unless_the_shorter_one_is_worse() -> None:
    assert hits("加微信") == [("加微信", "加微信")]
    worse = Lexicon([word("加微信", severity=2), word("加微", severity=4), word("微信", "fraud")])
    assert hits("加微信", worse) == [("加微信", "加微信"), ("加微", "加微"), ("微信", "微信")]


def test_a_policy_sees_only_the_words_it_uses() -> None:
    lexicon = Lexicon([word("刷单"), word("加微信")], masks=[0b01, 0b10])
    text = "刷单加微信"
    seen = [[hit.word_id for hit in found] for found in lexicon.scan_texts([text] * 3, masks=[0b01, 0b10, 0b11])]
    assert seen == [["刷单"], ["加微信"], ["刷单", "加微信"]]


def test_a_longer_word_of_another_policy_hides_nothing() -> None:
    lexicon = Lexicon([word("加微信"), word("加微")], masks=[0b01, 0b10])
    assert [hit.word_id for hit in lexicon.scan_texts(["加微信"], masks=[0b10])[0]] == ["加微"]


def test_a_word_counts_on_the_days_it_is_valid() -> None:
    lexicon = Lexicon([word("刷单", valid_from=date(2025, 2, 1), valid_until=date(2025, 2, 28))])
    days = [date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 28), date(2025, 3, 1), None]
    assert [len(lexicon.scan_texts(["刷单"], on=day)[0]) for day in days] == [0, 1, 1, 0, 1]


def test_the_same_word_in_two_lists_is_reported_by_both() -> None:
    first, second = Word("a/刷单", "刷单", "fraud"), Word("b/刷单", "刷单", "fraud")
    assert [hit.word_id for hit in Lexicon([first, second]).scan_texts(["刷单"])[0]] == ["a/刷单", "b/刷单"]


def test_a_text_full_of_bad_words_is_cut_short() -> None:
    assert len(LEXICON.scan_texts(["傻逼" * 50_000])[0]) == MAX_HITS


def test_an_empty_lexicon_and_an_empty_batch_find_nothing() -> None:
    assert Lexicon.empty().scan_texts(["加微信"]) == [()]
    assert LEXICON.scan_texts([]) == []


def test_masks_must_belong_to_words() -> None:
    with pytest.raises(ValueError, match="as many masks"):
        Lexicon(WORDS, masks=[1])


@given(st.lists(ODD_TEXT, max_size=6))
def test_a_batch_finds_what_its_texts_find_alone(texts: list[str]) -> None:
    assert LEXICON.scan_texts(texts) == [LEXICON.scan_texts([text])[0] for text in texts]


@given(ODD_TEXT)
def test_the_span_in_the_original_strips_to_the_word(text: str) -> None:
    for hit in LEXICON.scan_texts([text])[0]:
        assert strip_text(hit.word.text) in strip_text(text[hit.start : hit.end])
        assert 0 <= hit.start < hit.end <= len(text)


INSERTED = st.text(alphabet=st.sampled_from("*·-_.~|/ 🙂★\u200b\u200d\u0336\ufe0f\u3000"), max_size=3)


@given(ODD_TEXT.map(lambda text: text.replace("逼", "逼\u202e").replace("易", "\u202c")))
def test_what_is_shown_in_another_order_is_found_within_the_text(text: str) -> None:
    for hit in LEXICON.scan_texts([text])[0]:
        assert 0 <= hit.start < hit.end <= len(text)
        assert set(strip_text(hit.word.text)) <= set(strip_text(text[hit.start : hit.end]))


def disguise(char: str, kind: int) -> str:
    wide = chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char
    return (char, wide, char.upper(), char + "\u0301")[kind]


@given(st.data(), st.sampled_from([each for each in WORDS if not each.text.isascii()]))
def test_a_word_stays_found_whatever_is_put_between_its_characters(data: st.DataObject, target: Word) -> None:
    parts = [disguise(char, data.draw(st.integers(0, 3))) + data.draw(INSERTED) for char in target.text]
    text = "".join(parts)
    found = LEXICON.scan_texts(["您好", f"我说{text}呢", "再见"])
    assert found[0] == found[2] == ()
    assert target.id in {hit.word_id for hit in found[1]} or any(target.text in hit.word_id for hit in found[1])


def test_folding_keeps_the_lexicon_s_own_spelling() -> None:
    assert all(fold_text(each.text) == each.text for each in WORDS)
