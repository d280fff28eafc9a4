"""Word lists over HTTP: import, refusal by line, removal, and a trial of a text."""

import json
from typing import Any

import httpx
import pytest

from huiqun.files.reading import RowFormat
from huiqun.runtime.ids import new_id
from huiqun.testing.http import list_all_pages
from huiqun.testing.waiting import eventually
from moderation.lexicon.model import parse_words
from tests.moderation.interface import Interface, kind_of, together

HEADER = "word,category,severity,allow,valid_from,valid_until\n"
CSV = {"Content-Type": "text/csv"}


def list_name() -> str:
    return f"l-{new_id()}"


async def put(interface: Interface, name: str, content: str | bytes, **options: Any) -> httpx.Response:
    headers = options.pop("headers", CSV)
    body = content.encode() if isinstance(content, str) else content
    return await interface.ask("PUT", f"/lexicon/lists/{name}", content=body, headers=headers, **options)


async def words_of(interface: Interface, name: str, limit: int = 200) -> list[dict[str, Any]]:
    return await list_all_pages(await interface.served.client("viewer"), f"/api/v1/lexicon/lists/{name}/words", limit)


async def test_a_csv_file_becomes_a_list_and_the_next_one_takes_its_place(interface: Interface) -> None:
    name = list_name()
    answer = await put(
        interface, name, HEADER + "刷单,fraud,4,谨防刷单|打击刷单,2026-01-01,\n稳赚,fraud,,,,\n代理,ads,2,,,\n"
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["words"], answer.json()["changed"], answer.json()["errors"]) == (3, True, [])
    words = {word["word"]: word for word in await words_of(interface, name)}
    assert set(words) == {"刷单", "稳赚", "代理"}
    assert words["刷单"]["allow"] == ["谨防刷单", "打击刷单"]
    await put(interface, name, HEADER + "稳赚,fraud,5,,,\n")
    assert [(word["word"], word["severity"]) for word in await words_of(interface, name)] == [("稳赚", 5)]
    assert (await interface.ask("GET", f"/lexicon/lists/{name}", "viewer")).json()["words"] == 1
    assert await interface.audited(f"lexicon/{name}") == ["lexicon.list.imported", "lexicon.list.imported"]


async def test_a_long_list_is_read_page_by_page(interface: Interface) -> None:
    name = list_name()
    words = [f"第{number}个长词" for number in range(4_100)]
    answer = await put(interface, name, HEADER + "".join(f"{word},ads,3,,,\n" for word in words))
    assert answer.json()["words"] == 4_100
    assert sorted(word["word"] for word in await words_of(interface, name)) == sorted(words)


async def test_the_same_file_again_changes_nothing_and_leaves_no_entry(interface: Interface) -> None:
    name = list_name()
    first = (await put(interface, name, HEADER + "刷单,fraud,4,,,\n")).json()
    again = (await put(interface, name, HEADER + "刷单,fraud,4,,,\n")).json()
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["imported_at"] == again["imported_at"]
    assert await interface.audited(f"lexicon/{name}") == ["lexicon.list.imported"]


async def test_jsonl_and_other_charsets_are_read(interface: Interface) -> None:
    name = list_name()
    row = json.dumps({"word": "刷单", "category": "fraud", "allow": ["谨防刷单"]})
    answer = await put(interface, name, row, headers={"Content-Type": "application/x-ndjson"})
    assert answer.json()["words"] == 1
    spreadsheet = (HEADER + "稳赚,fraud,4,,,\n").encode("gb18030")
    answer = await put(interface, name, spreadsheet, headers={"Content-Type": "text/csv; charset=GBK"})
    assert [word["word"] for word in await words_of(interface, name)] == ["稳赚"]


UNFIT = (
    HEADER
    + "刷单,fraud,4,,,\n,fraud,,,,\n的,fraud,,,,\n刷 单,fraud,,,,\n稳赚,fraud,9,,,\n代理,ads,,,2026-02-01,2026-01-01\n"
)


async def test_a_file_with_unfit_rows_is_refused_and_each_row_named(interface: Interface) -> None:
    name = list_name()
    answer = await put(interface, name, UNFIT)
    assert kind_of(answer) == (422, "unfit-words")
    assert [error["line"] for error in answer.json()["errors"]] == [3, 4, 5, 6, 7]
    assert "same as in line 2" in answer.json()["errors"][2]["detail"]
    assert kind_of(await interface.ask("GET", f"/lexicon/lists/{name}")) == (404, "not-found")
    assert await interface.audited(f"lexicon/{name}") == []


async def test_unfit_rows_are_left_out_when_asked(interface: Interface) -> None:
    name = list_name()
    answer = (await put(interface, name, UNFIT, params={"on_error": "skip"})).json()
    assert (answer["words"], answer["unfit_rows"]) == (1, 5)
    assert [error["line"] for error in answer["errors"]] == [3, 4, 5, 6, 7]


async def test_of_very_many_unfit_rows_a_thousand_are_told(interface: Interface) -> None:
    content = HEADER + "刷单,fraud,,,,\n" + ",fraud,,,,\n" * 3_000
    refused = await put(interface, list_name(), content)
    assert len(refused.json()["errors"]) == 1_000
    assert "3000 rows" in refused.json()["detail"]
    skipped = await put(interface, list_name(), content, params={"on_error": "skip"})
    assert (skipped.json()["unfit_rows"], len(skipped.json()["errors"])) == (3_000, 1_000)


@pytest.mark.parametrize(
    "content",
    [
        "word,kind\n刷单,fraud\n",  # a column is missing
        HEADER + '稳赚,fraud,4,,,\n刷单,fraud,4,"没有\n代理,ads,3,,,\n',  # a quotation mark that is never closed
        HEADER + ",fraud,,,,\n",
        HEADER,
    ],
)
async def test_a_file_that_cannot_be_read_to_its_end_never_empties_a_list(interface: Interface, content: str) -> None:
    name = list_name()
    await put(interface, name, HEADER + "稳赚,fraud,4,,,\n代理,ads,3,,,\n")
    refused = await put(interface, name, content, params={"on_error": "skip"})
    assert kind_of(refused) == (422, "unfit-words")
    assert len(await words_of(interface, name)) == 2


@pytest.mark.parametrize(
    ("content", "media_type", "problem"),
    [
        (b"\xff\xfe\x00", "text/csv", (422, "not-text")),
        (b"word,category\n", "application/pdf", (415, "unsupported-media-type")),
        (b"word,category\n", "text/csv; charset=klingon", (415, "unsupported-media-type")),
        (b"", "text/csv", (422, "unfit-words")),
        (b"word\n\xe5\x88\xb7\xe5\x8d\x95\n", "text/csv", (422, "unfit-words")),
        (b"[" * 100_000, "application/x-ndjson", (422, "unfit-words")),
        (
            b'{"word": "\\ud800\xe5\x88\xb7\xe5\x8d\x95", "category": "ads"}',
            "application/x-ndjson",
            (422, "unfit-words"),
        ),
        (b'{"word": "ab\\u0000cd", "category": "ads"}', "application/x-ndjson", (422, "unfit-words")),
        (b"word,category\n\xe5\x88\xb7\xe5\x8d\x95," + b"x" * 65 + b"\n", "text/csv", (422, "unfit-words")),
        (b"x" * (33 * 1024 * 1024), "text/csv", (413, "body-too-large")),
    ],
)
async def test_what_is_no_list_of_words_is_refused(
    interface: Interface, content: bytes, media_type: str, problem: tuple[int, str]
) -> None:
    answer = await put(interface, list_name(), content, headers={"Content-Type": media_type})
    assert kind_of(answer) == problem


async def test_what_comes_with_the_service_cannot_be_replaced_or_removed(interface: Interface) -> None:
    before = (await interface.ask("GET", "/lexicon/lists/huiqun")).json()
    assert kind_of(await put(interface, "huiqun", HEADER + "刷单,fraud,4,,,\n")) == (409, "shipped-list")
    assert kind_of(await interface.ask("DELETE", "/lexicon/lists/huiqun-staff")) == (409, "shipped-list")
    assert (await interface.ask("GET", "/lexicon/lists/huiqun")).json() == before


async def test_a_removed_list_is_gone_with_its_words(interface: Interface) -> None:
    name = list_name()
    await put(interface, name, HEADER + "刷单,fraud,4,,,\n")
    assert (await interface.ask("DELETE", f"/lexicon/lists/{name}")).status_code == 204
    assert kind_of(await interface.ask("GET", f"/lexicon/lists/{name}/words")) == (404, "not-found")
    assert await interface.rig.database["words"].count_documents({"list": name}) == 0
    assert kind_of(await interface.ask("DELETE", f"/lexicon/lists/{name}")) == (404, "not-found")
    assert await interface.audited(f"lexicon/{name}") == ["lexicon.list.imported", "lexicon.list.dropped"]


async def test_two_who_replace_a_list_at_the_same_time_leave_one_file_s_words(interface: Interface) -> None:
    name = list_name()
    files = [HEADER + "".join(f"词语{file}号{row},ads,3,,,\n" for row in range(500)) for file in "甲乙"]
    answers = await together(*(put(interface, name, content) for content in files))
    assert [answer.status_code for answer in answers] == [200, 200]
    kept = {word["id"] for word in await words_of(interface, name)}
    assert kept in [{word.id for word in parse_words(content, RowFormat.CSV, name).records} for content in files]


async def test_an_imported_word_is_found_and_the_trial_says_why(interface: Interface) -> None:
    name, word = list_name(), "飞天茅台内部价"
    await put(interface, name, HEADER + f"{word},ads,4,,,\n{word}券,闲聊,1,,,\n")

    async def scanned() -> list[dict[str, Any]]:
        answer = await interface.ask(
            "POST", "/lexicon/scan", "viewer", json={"text": f"出{word[:2]}·{word[2:]}券，要的来"}
        )
        assert answer.status_code == 200, answer.text
        hits: list[dict[str, Any]] = answer.json()["hits"]
        return hits

    async def found() -> bool:
        return bool(await scanned())

    await eventually(found)
    by_word = {hit["word"]: hit for hit in await scanned()}
    hit = by_word[word]
    assert (hit["word_id"], hit["stream"], hit["start"], hit["end"]) == (f"{name}/{word}", "stripped", 1, 9)
    assert hit["outcome"] == "block"
    assert by_word[f"{word}券"]["outcome"] is None


async def test_a_trial_shows_everything_that_a_text_gives_away(interface: Interface) -> None:
    text = "加微信 abc12345，卡号 6222020200112233440 见 www.evil.top"
    answer = (await interface.ask("POST", "/lexicon/scan", "viewer", json={"text": text})).json()
    assert answer["verdict"] == "block"
    assert {find["kind"] for find in answer["finds"]} >= {"link", "contact"}
    for find in answer["finds"]:
        assert 0 <= find["start"] < find["end"] <= len(text)
    assert {reason["rule"] for reason in answer["reasons"]} >= {"links", "contacts", "lexicon"}
    harmless = (await interface.ask("POST", "/lexicon/scan", "viewer", json={"text": "请问几点开门"})).json()
    assert (harmless["verdict"], harmless["reasons"], harmless["hits"], harmless["finds"]) == ("allow", [], [], [])
