"""Finding words that are written by sound, by look, in halves, or over several messages."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from moderation.evidence.model import join_message_window
from moderation.lexicon.matching.lookalike_tables import ALIKE, MEANT
from moderation.lexicon.matching.match_kinds import MatchKind
from moderation.lexicon.matching.matcher import Lexicon
from moderation.lexicon.matching.pinyin import normalize_pinyin, spell_pinyin
from moderation.lexicon.matching.text_batch import TextBatch
from moderation.lexicon.matching.words import Word


def word(text: str, category: str = "ads", severity: int = 3, **rest: object) -> Word:
    return Word(id=text, text=text, category=category, severity=severity, **rest)  # type: ignore[arg-type]


WORDS = (
    word("加微信", "solicitation", 4, allow=("加微信支付",)),
    word("加薇信", "solicitation", 4),
    word("加v心", "solicitation", 4),
    word("强奸", "obscenity", 5),
    word("套现", "fraud", 4),
    word("滴滴我", "solicitation"),
    word("telegram", "solicitation"),
    word("嫖", "obscenity"),
)
BACKGROUND = ("请问微信怎么绑定", "桃仙机场怎么走", "今天天气不错")
LEXICON = Lexicon(WORDS, fuzzy=1, background=BACKGROUND)


def hits(text: str, lexicon: Lexicon = LEXICON) -> list[tuple[str, MatchKind, str]]:
    return [(hit.word_id, hit.match_kind, text[hit.start : hit.end]) for hit in lexicon.scan_texts([text])[0]]


@pytest.mark.parametrize(
    ("text", "word_id", "stream", "span"),
    [
        ("来佳威欣聊", "加微信", MatchKind.PINYIN, "佳威欣"),
        ("jia wei xin 吧", "加微信", MatchKind.LATIN, "jia wei xin"),
        ("请加wei·信", "加微信", MatchKind.LATIN, "加wei·信"),
        ("力口微亻言哦", "加微信", MatchKind.SPLIT, "力口微亻言"),
        ("弓虽女干", "强奸", MatchKind.SPLIT, "弓虽女干"),
        ("弓虽*奸", "强奸", MatchKind.SPLIT, "弓虽*奸"),
        ("加溦信", "加微信", MatchKind.LOOKALIKE, "加溦信"),
        ("➕v❤️", "加v心", MatchKind.LOOKALIKE, "➕v❤"),
        ("加加微微信", "加微信", MatchKind.REPEATED, "加加微微信"),
        ("te1e9ram见", "telegram", MatchKind.LOOKALIKE, "te1e9ram"),
    ],
)
def test_a_fuzzy_hit_names_its_stream_and_its_place(text: str, word_id: str, stream: MatchKind, span: str) -> None:
    assert (word_id, stream, span) in hits(text)


@pytest.mark.parametrize(
    "text",
    [
        "滴我",  # only the word itself repeats a character
        "女票",  # the halves of a single character are a word of their own
        "增佳威欣支付",
        "佳微信支付",
        "桃仙机场",  # sounds like 套现, and the background says it is harmless
        "讠舌",
    ],
)
def test_what_only_resembles_a_word_is_left_alone(text: str) -> None:
    assert all(found[1].is_exact for found in hits(text))


def test_a_key_that_fires_on_the_background_is_dropped() -> None:
    without = Lexicon(WORDS, fuzzy=1)
    assert [found[0] for found in hits("桃仙机场", without)] == ["套现"]
    assert hits("套现")[0][1] is MatchKind.FOLDED


def test_a_key_that_sounds_like_anything_counts_only_when_typed() -> None:
    common = ("是不是", "时不时", "一一一", "以以以", "意意意", "不会不会") * 20
    rare, frequent = word("套现"), word("轶事")
    lexicon = Lexicon([rare, frequent], fuzzy=1, background=common)
    assert [found[1] for found in hits("逃县", lexicon)] == [MatchKind.PINYIN]
    assert hits("依世", lexicon) == []
    assert [found[1] for found in hits("yi shi", lexicon)] == [MatchKind.LATIN]


def test_exact_evidence_is_not_repeated_as_a_guess() -> None:
    assert hits("加微信") == [("加微信", MatchKind.FOLDED, "加微信")]


def test_fuzzy_streams_are_for_the_policies_that_want_them() -> None:
    lexicon = Lexicon([word("强奸")], masks=[0b11], fuzzy=0b10)
    found = lexicon.scan_texts(["弓虽奸", "弓虽奸", "强奸"], masks=[0b01, 0b10, 0b01])
    assert [len(each) for each in found] == [0, 1, 1]


def test_only_fuzzy_streams_are_called_fuzzy() -> None:
    assert [stream for stream in MatchKind if stream.is_exact] == [MatchKind.FOLDED, MatchKind.STRIPPED]
    assert all(0 < stream.confidence < 0.9 for stream in MatchKind if not stream.is_exact)


def test_a_word_cut_over_messages_is_found_with_its_part_in_the_newest() -> None:
    (found,) = LEXICON.scan_message_windows([["大家好加", "微", "信号abc"]])
    assert [(hit.word_id, hit.match_kind, hit.start, hit.end) for hit in found] == [("加微信", MatchKind.ACROSS, 0, 1)]


@pytest.mark.parametrize(
    "messages",
    [
        ["加微信", "好的"],  # it stands in one message, which was judged when it came
        ["想套", "现在可以吗"],  # two characters that meet by accident
        ["加微", "信支付怎么用"],
        ["加微信"],
        [],
    ],
)
def test_messages_that_only_follow_each_other_are_left_alone(messages: list[str]) -> None:
    lexicon = Lexicon([*WORDS, word("加微信", allow=("加微信支付",))])
    assert [hit for hit in lexicon.scan_message_windows([messages])[0] if len(hit.word.text) < 3] == []


def test_two_characters_sent_one_by_one_are_no_accident() -> None:
    assert [hit.word_id for hit in LEXICON.scan_message_windows([["套", "现"]])[0]] == ["套现"]


def test_a_window_is_the_last_three_messages_of_thirty_seconds() -> None:
    now = datetime(2025, 5, 1, 9, 0, tzinfo=UTC)
    said = [(now - timedelta(seconds=ago), str(ago)) for ago in (40, 31, 30, 1)]
    assert join_message_window(said, now, "new") == ("30", "1", "new")
    assert join_message_window([*said, (now, "0")], now, "new") == ("1", "0", "new")
    assert join_message_window(said[:2], now, "new") == ()
    assert join_message_window([(now + timedelta(seconds=1), "later")], now, "new") == ()


def test_no_character_looks_like_two_things() -> None:
    counted = Counter("".join(ALIKE.split())) + Counter("".join(pair.partition("=")[2] for pair in MEANT.split()))
    assert [char for char, times in counted.items() if times > 1] == []


def test_homophones_and_typed_syllables_sound_alike() -> None:
    alike = {
        normalize_pinyin(TextBatch([text])).text for text in ("加微信", "佳威欣", "jiaweixin", "加wei信", "jia·WEI xin")
    }
    assert len(alike) == 1
    assert normalize_pinyin(TextBatch(["加v"])).text != normalize_pinyin(TextBatch(["加薇"])).text
    assert spell_pinyin("加v信") == "jiavxin"


SPICED = st.text(alphabet=st.characters() | st.sampled_from("加微信弓虽奸jiaweixnvV❤➕\U000e0101\0"), max_size=40)


@given(st.lists(SPICED, max_size=5))
def test_a_batch_finds_what_its_texts_find_alone(texts: list[str]) -> None:
    assert LEXICON.scan_texts(texts) == [LEXICON.scan_texts([text])[0] for text in texts]


@pytest.mark.parametrize("text", ["jia" * 33_000, "弓虽" * 50_000, "➕" * 100_000, "xian" * 25_000 + "v"])
def test_long_and_hostile_texts_come_to_an_end(text: str) -> None:
    LEXICON.scan_texts([text])
    LEXICON.scan_message_windows([[text[:50_000], text[50_000:]]])
