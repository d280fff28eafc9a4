"""Lists come in pages whose cursors cannot be misused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqun.web.pages import Key, PageRequest, decode_cursor, encode_cursor
from huiqun.web.problems import Problem

moments = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
texts = st.text(st.characters(codec="utf-8"))
keys = st.lists(st.one_of(texts, st.integers(-(1 << 63), (1 << 63) - 1), moments), max_size=8)


@given(texts, keys)
def test_a_cursor_is_read_back_as_it_was_written(scope: str, key: list[Key]) -> None:
    assert decode_cursor(scope, encode_cursor(scope, key)) == tuple(key)


@given(keys)
def test_a_cursor_fits_no_other_list(key: list[Key]) -> None:
    with pytest.raises(ValueError, match="cursor"):
        decode_cursor("/api/v1/cases", encode_cursor("/api/v1/notes", key))


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        decode_cursor("/api/v1/notes", text)


@given(keys, st.data())
def test_a_changed_cursor_is_refused(key: list[Key], data: st.DataObject) -> None:
    cursor = encode_cursor("s", key)
    place = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_"))
    changed = cursor[:place] + letter + cursor[place + 1 :]
    try:
        assert decode_cursor("s", changed) == tuple(key)  # the same letter, or bits that base64 does not use
    except ValueError:
        assert changed != cursor


def test_keys_of_other_types_are_refused() -> None:
    page = PageRequest("s", 10, ("n1", 2))
    assert page.after(str, int) == ("n1", 2)
    for types in ((str,), (int, str), (str, datetime)):
        with pytest.raises(Problem):
            page.after(*types)


async def test_following_the_cursors_visits_every_item_once(service: Any) -> None:
    await service.db["notes"].insert_many(
        {"_id": f"n{number:02}", "text": "t", "weight": 1, "labels": {}, "version": 1} for number in range(25)
    )
    headers = await service.as_role("viewer")
    seen: list[str] = []
    cursor: str | None = None
    for expected in (10, 10, 5):
        parameters = {"limit": "10", **({"cursor": cursor} if cursor else {})}
        page = (await service.http.get("/api/v1/notes", params=parameters, headers=headers)).json()
        assert len(page["items"]) == expected
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == [f"n{number:02}" for number in range(25)]


async def test_a_malformed_cursor_is_422(service: Any) -> None:
    headers = await service.as_role("viewer")
    for cursor in (
        "x",
        "AAAA",
        "你好",
        encode_cursor("/api/v1/notes/heavier", ["n1"]),
        encode_cursor("/api/v1/notes", [1]),
    ):
        response = await service.http.get("/api/v1/notes", params={"cursor": cursor}, headers=headers)
        assert response.status_code == 422, cursor
        assert response.json()["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("limit", [0, 201, -1, "x", 10**30])
async def test_a_limit_out_of_range_is_422(service: Any, limit: object) -> None:
    response = await service.http.get(f"/api/v1/notes?limit={limit}", headers=await service.as_role("viewer"))
    assert response.status_code == 422
