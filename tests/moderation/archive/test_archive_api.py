"""What was judged, over HTTP: listed in order, narrowed, and shown with its revisions."""

from datetime import timedelta
from typing import Any

import pytest

from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON, message_edited, message_recalled
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface, kind_of


async def all_of(interface: Interface, path: str, **filters: str) -> list[dict[str, Any]]:
    return await interface.list_all(path, "viewer", **filters)


async def test_what_was_said_is_listed_in_order_and_masked(interface: Interface) -> None:
    group = group_id()
    events = said(group, "第一句", "我的身份证 11010519491231002X", "第三句", "第四句", "第五句")
    await judge(interface, list(reversed(events)))
    listed = await all_of(interface, "/messages", group_id=group)
    assert [each["message_id"] for each in listed] == [event.data.message_id for event in events]
    assert "11010519491231002X" not in listed[1]["text"]
    assert listed[1]["verdict"] == "block"
    assert listed[1]["reasons"][0]["category"] == "id_card"


async def test_messages_of_the_same_moment_stand_on_one_page_each_once(interface: Interface) -> None:
    group = group_id()
    events = [said(group, "同一时刻", member=f"u{number}")[0] for number in range(7)]
    await judge(interface, events)
    listed = await all_of(interface, "/messages", group_id=group)
    assert sorted(each["member_id"] for each in listed) == [f"u{number}" for number in range(7)]


async def test_a_search_is_narrowed_by_time_member_and_verdict(interface: Interface) -> None:
    group = group_id()
    await judge(interface, said(group, "早上好", "加微信 abc12345", "晚安", member="u1"))
    await judge(interface, said(group, "大家好", member="u2"))

    async def found(**filters: str) -> list[str]:
        return [each["text"] for each in await all_of(interface, "/messages", group_id=group, **filters)]

    assert await found(member_id="u2") == ["大家好"]
    assert await found(verdict="block") == ["加微信 abc12345"]
    late = (NOON + timedelta(seconds=2)).isoformat()
    assert await found(since=late) == ["晚安"]
    assert set(await found(until=late)) == {"早上好", "大家好", "加微信 abc12345"}
    assert await found(since=late, until=late) == []


@pytest.mark.parametrize(
    "query", ["", "?group_id=a/b", "?group_id=g&since=yesterday", "?group_id=g&since=1970-01-01T00:00:00Z"]
)
async def test_a_search_that_makes_no_sense_is_refused(interface: Interface, query: str) -> None:
    assert kind_of(await interface.ask("GET", f"/messages{query}")) == (422, "invalid-request")


async def test_a_message_is_shown_with_its_revisions_and_its_recall(interface: Interface) -> None:
    group = group_id()
    (original,) = said(group, "大家好")
    edits = [
        message_edited(original, "加微信 abc12345", 1),
        *(message_edited(original, f"第{number}版", number) for number in (2, 10)),
    ]
    await judge(interface, [original])
    await judge(interface, edits)
    await interface.rig.deliver(message_recalled(original))
    answer = await interface.ask("GET", f"/messages/{original.data.message_id}", "viewer")
    revisions = answer.json()["revisions"]
    assert [each["revision"] for each in revisions] == [0, 1, 2, 10]
    assert [each["verdict"] for each in revisions[:2]] == ["allow", "block"]
    assert revisions[0]["recalled_by"] == "u1"
    assert kind_of(await interface.ask("GET", f"/messages/{new_id()}")) == (404, "not-found")
