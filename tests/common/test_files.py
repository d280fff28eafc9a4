"""Rows in, with faults by line; rows out, without formulas."""

import csv
import io
import json
from collections.abc import Mapping
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huiqun.files.reading import (
    Row,
    RowError,
    RowFault,
    RowFormat,
    UnreadableFileError,
    decode_file,
    parse_rows,
    read_csv_header,
    read_rows,
)
from huiqun.files.writing import FileFormat, neutralize_formula, write_file

NAMES = "编号,姓名\n1,王小明\n"


def person(fields: Mapping[str, object]) -> str:
    if not fields.get("name"):
        raise RowError("name", "is missing")
    return str(fields["name"])


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_what_a_spreadsheet_writes_is_read_in_whatever_charset(charset: str) -> None:
    assert decode_file(NAMES.encode(charset)) == NAMES


def test_a_charset_that_is_named_is_believed() -> None:
    assert decode_file("王".encode("gbk"), "GBK") == "王"
    with pytest.raises(UnreadableFileError, match="byte 0"):
        decode_file("王".encode("gbk"), "utf-8")
    with pytest.raises(UnreadableFileError, match="unknown"):
        decode_file(b"", "klingon")


def test_what_is_no_text_is_told_with_its_place() -> None:
    with pytest.raises(UnreadableFileError, match=r"byte 1 .* utf-8; byte 1 .* gb18030"):
        decode_file(b"a\xff\xff")


def test_faults_name_their_line_and_the_rest_is_taken() -> None:
    rows = read_rows("name,age\nA,1\n,2\nB,3,4\nA,5\n", RowFormat.CSV, {"name"})
    parsed = parse_rows(rows, person, key=("name", str))
    assert parsed.records == ("A",)
    assert [(fault.line, fault.field) for fault in parsed.faults] == [(3, "name"), (4, "row"), (5, "name")]
    assert not parsed.is_cut_off


def test_a_quote_that_is_not_closed_cuts_the_file_off() -> None:
    parsed = parse_rows(read_rows('name\nA\n"B\nC\n', RowFormat.CSV), person)
    assert parsed.records == ("A",)
    assert parsed.is_cut_off


def test_a_column_that_is_missing_is_named() -> None:
    assert list(read_rows("a\n1\n", RowFormat.CSV, {"name"})) == [RowFault(1, "name", "column is missing", ends=True)]


def test_a_line_that_no_row_has_is_a_fault_and_ends_a_csv() -> None:
    parsed = parse_rows(read_rows(f"name\nA\n{'B' * 300_000}\nC\n", RowFormat.CSV), person)
    assert (parsed.records, [fault.line for fault in parsed.faults], parsed.is_cut_off) == (("A",), [3], True)
    lines = f'{{"name": "A"}}\n{{"name": "{"B" * 300_000}"}}\n{{"name": "C"}}\n'
    parsed = parse_rows(read_rows(lines, RowFormat.JSONL), person)
    assert (parsed.records, [fault.line for fault in parsed.faults], parsed.is_cut_off) == (("A", "C"), [2], False)
    whole = read_rows(f"name\n{'B' * 300_000}\nC\n", RowFormat.CSV, max_line_characters=400_000)
    assert len(parse_rows(whole, person).records) == 2


def test_half_a_character_and_endless_nesting_are_no_json() -> None:
    for line in ('{"name": "\\ud83d"}', "[" * 100_000):
        (fault,) = read_rows(line, RowFormat.JSONL)
        assert isinstance(fault, RowFault)
        assert "is not JSON" in fault.reason


def test_the_columns_of_a_file_are_known_before_its_rows() -> None:
    assert read_csv_header(NAMES) == ("编号", "姓名")
    assert read_csv_header("") == read_csv_header('"') == ()


def test_the_form_of_a_file_is_told_by_its_name() -> None:
    names = ["day.JSONL", "day.ndjson", "day.csv", "day"]
    assert [RowFormat.of_file(name).value for name in names] == ["jsonl", "jsonl", "csv", "csv"]


def test_a_large_file_is_decoded_in_pieces_wherever_they_end() -> None:
    text = "a" + "字" * 400_000
    for charset in ("utf-8", "gb18030", "utf-16"):
        assert decode_file(text.encode(charset)) == text
    with pytest.raises(UnreadableFileError, match=f"byte {len(text.encode())} of the file is not utf-8"):
        decode_file(text.encode() + b"\xff", "utf-8")


def test_json_lines_and_lists_count_from_one() -> None:
    assert next(iter(read_rows('{"a": 1}\n\nnonsense\n', RowFormat.JSONL))) == Row(1, {"a": 1})
    lines = [fault.line for fault in read_rows('\n{"a": 1\n[1]\n', RowFormat.JSONL) if isinstance(fault, RowFault)]
    assert lines == [2, 3]
    assert [each.line for each in read_rows('[{"a": 1}, 2]', RowFormat.JSON)] == [1, 2]
    assert parse_rows(read_rows('{"a": 1}', RowFormat.JSON), person).is_cut_off


def test_a_file_that_is_too_long_is_a_fault() -> None:
    parsed = parse_rows(read_rows("name\nA\nB\nC\n", RowFormat.CSV), person, max_records=2)
    assert parsed.records == ("A", "B")
    assert parsed.is_cut_off


@pytest.mark.parametrize(
    "text", ["=1+1", "+8613800138000", "-1", "@SUM(A1)", "  =1+1", "\t=1+1", "\r\n=1", "＝1+1", "＠小惠", "－", "+"]
)
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert neutralize_formula(text) == f"'{text}"


@pytest.mark.parametrize(
    "unseen",
    [
        *("\u200b", "\ufeff", "\0", "\u202e", "\u2066", "\xad", "\u2060", "\u3164", "\u115f", "\u2800", "\ufe0f"),
        *("\u180b", "\u034f", "\x7f", "\x85", "\u2028", "\u3000", "\xa0", "\u0301", "\U000e0001", "\ue000"),
        "\u200b\ufeff \0\u202e",
    ],
)
def test_what_shows_nothing_does_not_hide_a_formula(unseen: str) -> None:
    for sign in "=+-@＝＋－＠﹢﹣﹦﹫−":
        assert neutralize_formula(f"{unseen}{sign}1+1") == f"'{unseen}{sign}1+1"


@pytest.mark.parametrize("text", ["你好", "1=1", "a+b", '他说"好", 然后\n走了', "'=1", "", "价格-5%"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert neutralize_formula(text) == text


def test_a_number_is_no_formula() -> None:
    assert [neutralize_formula(value) for value in (None, 17, -5, -0.5)] == ["", "17", "-5", "-0.5"]


ROWS: list[dict[str, object]] = [{"id": 1, "text": "=1+1"}, {"id": 2, "text": "一\n二\0"}, {"id": 3}]


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers() -> None:
    sheet = openpyxl.load_workbook(BytesIO(write_file(FileFormat.XLSX, ["id", "text"], ROWS))).active
    assert sheet is not None
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["id", "text"],
        [1, "=1+1"],
        [2, "一\n二\N{REPLACEMENT CHARACTER}"],
        [3, None],
    ]
    assert sheet["B2"].data_type == "s"


def test_csv_and_json_lines_say_the_same() -> None:
    written = write_file(FileFormat.CSV, ["id", "text"], ROWS[:1]).decode("utf-8-sig")
    assert list(csv.DictReader(io.StringIO(written))) == [{"id": "1", "text": "'=1+1"}]
    assert json.loads(write_file(FileFormat.JSONL, ["id", "text"], ROWS[:1])) == ROWS[0]


@settings(max_examples=20)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.text()), max_size=5))
def test_any_text_can_be_written_in_any_form(rows: list[dict[str, str]]) -> None:
    for form in (FileFormat.CSV, FileFormat.XLSX):
        assert write_file(form, ["a", "b"], rows)
