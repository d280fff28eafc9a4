"""Importing words from files."""

import json
from datetime import date

import pytest

from huiqun.files.reading import ParsedRows, RowFault, RowFormat
from moderation.lexicon.matching.words import Word
from moderation.lexicon.model import parse_words

HEADER = "word,category,severity,allow,valid_from,valid_until\n"


def read_csv(text: str) -> ParsedRows[Word]:
    return parse_words(text, RowFormat.CSV, "bank")


def read_jsonl(text: str) -> ParsedRows[Word]:
    return parse_words(text, RowFormat.JSONL, "bank")


def test_a_good_csv_row_becomes_a_word() -> None:
    read = read_csv(HEADER + "加微信,solicitation,4,加微信支付|加微信银行,2025-01-01,2025-12-31\n")
    assert read.faults == ()
    assert read.records == (
        Word(
            id="bank/加微信",
            text="加微信",
            category="solicitation",
            severity=4,
            allow=("加微信支付", "加微信银行"),
            valid_from=date(2025, 1, 1),
            valid_until=date(2025, 12, 31),
            list_name="bank",
        ),
    )


def test_the_same_row_as_json_becomes_the_same_word() -> None:
    row = {"word": "刷单", "category": "fraud", "severity": 5, "allow": ["谨防刷单"], "valid_until": "2025-12-31"}
    from_json = read_jsonl(json.dumps(row) + "\n\n")
    from_csv = read_csv(HEADER + "刷单,fraud,5,谨防刷单,,2025-12-31\n")
    assert from_json == from_csv


def test_severity_is_three_unless_said() -> None:
    assert read_csv("word,category\n刷单,fraud\n").records[0].severity == 3


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (",ads,3,,,", "word", "no letter"),
        ("！！🙂,ads,3,,,", "word", "no letter"),
        ("长" * 65 + ",ads,3,,,", "word", "longer than 64"),
        ("的,ads,3,,,", "word", "single common character"),
        ("ｖ,ads,3,,,", "word", "single common character"),
        ("刷单,,3,,,", "category", "empty"),
        ("刷单,ads,6,,,", "severity", "between 1 and 5"),
        ("刷单,ads,0,,,", "severity", "between 1 and 5"),
        ("刷单,ads,high,,,", "severity", "whole number"),
        ("刷单,ads,3,谨防诈骗,,", "allow", "does not contain"),
        ("刷单,ads,3,刷 单,,", "allow", "is the word itself"),
        ("刷单,ads,3,,2025-02-01,2025-01-01", "valid_until", "before valid_from"),
        ("刷单,ads,3,,1.2.2025,", "valid_from", "not a date"),
        ("刷单,ads,3,,,,extra", "row", "more fields"),
        ('"刷单,ads,3,,,', "row", "unexpected end"),
    ],
)
def test_a_bad_csv_row_is_reported_by_line_and_field(row: str, field: str, reason: str) -> None:
    read = read_csv(f"{HEADER}稳赚,fraud,4,,,\n{row}\n")
    assert [word.text for word in read.records] == ["稳赚"]
    (fault,) = read.faults
    assert (fault.line, fault.field) == (3, field)
    assert reason in fault.reason


def test_a_word_spelt_twice_is_a_duplicate_of_its_first_line() -> None:
    read = read_csv(HEADER + "加微信,ads,3,,,\n加·微 信,ads,3,,,\n")
    assert len(read.records) == 1
    assert read.faults == (RowFault(3, "word", "is the same as in line 2"),)


def test_a_rare_single_character_is_a_word() -> None:
    assert read_csv(HEADER + "肏,abuse,4,,,\n").faults == ()


def test_a_file_without_the_needed_columns_says_which() -> None:
    assert read_csv("term,kind\n刷单,ads\n").faults == (
        RowFault(1, "category", "column is missing", ends=True),
        RowFault(1, "word", "column is missing", ends=True),
    )
    assert len(read_csv("").faults) == 2


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", "row"),
        ("[" * 100_000, "row"),
        ("[]", "row"),
        ('{"word": 5, "category": "ads"}', "word"),
        ('{"word": "刷单", "category": "ads", "severity": true}', "severity"),
        ('{"word": "刷单", "category": "ads", "severity": 2.5}', "severity"),
        ('{"word": "刷单", "category": "ads", "allow": {"a": 1}}', "allow"),
        ('{"word": "刷单", "category": "ads", "allow": [1]}', "allow"),
        ('{"word": "\\ud800", "category": "ads"}', "row"),
    ],
)
def test_a_bad_json_row_is_reported_by_line_and_field(line: str, field: str) -> None:
    read = read_jsonl(f'{{"word": "稳赚", "category": "fraud"}}\n{line}\n')
    assert len(read.records) == 1
    assert [(fault.line, fault.field) for fault in read.faults] == [(2, field)]
