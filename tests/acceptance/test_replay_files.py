"""Files that people bring: what of them is sent, and what is said about the rest."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import Member, MemberJoined, MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.files.reading import UnreadableFileError
from local.replay.files import read_texts
from local.replay.messages import GroupSpread, key_of, make_events

NOW = datetime(2026, 3, 12, 4, tzinfo=UTC)


def written(directory: Path, content: str | bytes, name: str = "comments.csv") -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def joined() -> Event:
    return MemberJoined.create("g1", Member(group_id="g1", member_id="m1"), time=NOW, source="test")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_that_spreadsheets_write(encoding: str, tmp_path: Path) -> None:
    content = "编号,text\n1,你好，惠民\n2,“再见”\n".encode(encoding)
    assert read_texts(written(tmp_path, content)).records == ("你好，惠民", "“再见”")


def test_a_cell_may_have_commas_quotes_and_several_lines(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,text\r\n1,"第一行\r\n第二行, ""引号"""\r\n2,好\r\n')
    assert read_texts(path).records == ('第一行\r\n第二行, "引号"', "好")


def test_the_text_column_is_found_whatever_its_case(tmp_path: Path) -> None:
    assert read_texts(written(tmp_path, "id,Text\n1,好\n")).records == ("好",)


def test_a_missing_column_is_answered_with_those_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, "id,comment\n1,好\n")
    with pytest.raises(UnreadableFileError, match=r"no column 'text'.*--column.*'id', 'comment'"):
        read_texts(path)
    with pytest.raises(UnreadableFileError, match=r"no column 'TEXT'\. The columns are: 'id', 'comment'"):
        read_texts(path, "TEXT")
    assert read_texts(path, "comment").records == ("好",)


def test_bad_rows_are_named_by_their_line_and_their_neighbours_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, f'id,text\n1,好\n2\n3,\n4,"多\n行"\n5,{"长" * 20_001}\n6,完\n')
    rows = read_texts(path)
    assert rows.records == ("好", "多\n行", "完")
    assert [(fault.line, fault.field, fault.reason) for fault in rows.faults] == [
        (3, "row", "has fewer fields than the header"),
        (4, "text", "is empty"),
        (7, "text", "has 20001 characters; a message has at most 20000"),
    ]


def test_an_empty_file_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="The columns are: none"):
        read_texts(written(tmp_path, ""))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="is not utf-8; byte 0 of the file is not gb18030"):
        read_texts(written(tmp_path, b"\xff\xff\x00\x01"))
    with pytest.raises(UnreadableFileError, match="No such file"):
        read_texts(tmp_path / "missing.csv")


def test_json_lines_hold_texts_and_events(tmp_path: Path) -> None:
    event = joined()
    lines = [json.dumps({"text": "你好"}), "", encode_event(event).decode(), json.dumps({"text": "再见", "id": 2})]
    rows = read_texts(written(tmp_path, "\n".join(lines), "day.jsonl"))
    assert rows.records == ("你好", event, "再见")
    assert rows.faults == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"texte": "x"}', "has no text in 'text'; its fields are: 'texte'"),
        ('{"text": 7}', "has no text"),
        ('{"text": "\\ud83d"}', "is not JSON"),
        ('{"specversion": "1.0", "type": "x"}', "is no event of a channel: type 'x'"),
        ('{"specversion": "1.0", "type": "channel.member.joined"}', "Field required"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_line_that_cannot_be_sent_says_why(line: str, reason: str, tmp_path: Path) -> None:
    rows = read_texts(written(tmp_path, f'{{"text": "好"}}\n{line}\n', "day.jsonl"))
    assert rows.records == ("好",)
    assert rows.faults[0].line == 2
    assert reason in rows.faults[0].reason


def test_texts_are_spread_so_that_nobody_writes_twice_in_a_minute() -> None:
    events = list(make_events([f"第{n}条" for n in range(60)], GroupSpread(groups=3, members=4), NOW))
    assert len({event.subject for event in events}) == 3
    by_member: dict[tuple[str, str], list[datetime]] = {}
    for event in events:
        assert isinstance(event, MessageReceived)
        by_member.setdefault((event.subject, event.data.sender.member_id), []).append(event.data.sent_at)
    assert len(by_member) == 12
    for moments in by_member.values():
        assert len(moments) == 5
        assert all(59 < (later - earlier).total_seconds() < 61 for earlier, later in pairwise(moments))


def test_the_same_file_is_spread_the_same_way_again_under_new_ids() -> None:
    first, second = (list(make_events(["一", "二", "三"], GroupSpread(2, 2), NOW)) for _ in range(2))
    assert [event.subject for event in first] == [event.subject for event in second]
    assert {key_of(event) for event in first}.isdisjoint({key_of(event) for event in second})
