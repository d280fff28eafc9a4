"""Words that a member cuts over several messages."""

from datetime import UTC, date, datetime, timedelta

from huiqun.contracts.channel import Message, Sender
from moderation.evidence.model import Evidence, add_split_words, list_message_windows
from moderation.lexicon.matching.matcher import EVERY_POLICY, Lexicon
from moderation.lexicon.matching.words import Word
from moderation.standings.model import Standing

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
LEXICON = Lexicon([Word("w1", "加微信", "solicitation")])


def said(text: str, seconds: int) -> Message:
    sent_at = NOON + timedelta(seconds=seconds)
    return Message(message_id=f"m{seconds}", group_id="g", sender=Sender(member_id="u"), text=text, sent_at=sent_at)


def found(*messages: Message, standing: Standing | None = None) -> list[int]:
    """How many words each message completes."""
    evidence = [Evidence() for _ in messages]
    windows = list_message_windows(messages, {"g/u": standing or Standing("g", "u")})
    add_split_words(evidence, windows, [EVERY_POLICY] * len(messages), LEXICON, date(2026, 11, 20))
    return [len(each.hits) for each in evidence]


def test_a_word_cut_over_three_messages_is_found_in_the_last_one() -> None:
    assert found(said("加", 0), said("微", 5), said("信", 10)) == [0, 0, 1]


def test_pieces_in_two_batches_are_joined_too() -> None:
    standing = Standing("g", "u")
    assert found(said("加微", 0), standing=standing) == [0]
    assert found(said("信", 5), standing=standing) == [1]


def test_pieces_more_than_half_a_minute_apart_are_not_joined() -> None:
    assert found(said("加微", 0), said("信", 31)) == [0, 0]


def test_a_sentence_between_the_pieces_separates_them() -> None:
    assert found(said("加微", 0), said("今天的汇率是多少呀", 5), said("信", 10)) == [0, 0, 0]
