"""What was judged, over HTTP: the archive, the actions, a member's standing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huiqun.channel.actions.handlers import record_receipts
from huiqun.contracts.channel import ActionCompleted, MessageEdited, MessageReceived
from huiqun.contracts.channel.actions import Receipt
from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON, message_edited, message_recalled, message_received
from tests.moderation.interface import Interface, kind_of


def group_id() -> str:
    return f"g-{new_id()}"


def said(group: str, *texts: str, member: str = "u1", sent_at: datetime | None = None) -> list[MessageReceived]:
    """Messages of a member, a second apart; the ids begin with the group's."""
    start = sent_at or NOON
    events = []
    for number, text in enumerate(texts):
        event = message_received(number, group, member, text, start + timedelta(seconds=number))
        data = event.data.model_copy(update={"message_id": f"{group}-{member}-{number}"})
        events.append(event.model_copy(update={"data": data}))
    return events


async def judge(interface: Interface, events: Sequence[MessageReceived | MessageEdited]) -> None:
    await interface.rig.deliver(*events)


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
    assert kind_of(await interface.ask("GET", f"/messages/{new_id()}")) == (404, "unknown-message")


async def test_actions_are_listed_newest_first_and_followed_to_their_outcome(interface: Interface) -> None:
    group = group_id()
    await judge(interface, said(group, "加微信 abc12345", member="u1"))
    await judge(interface, said(group, "加微信 abc67890", member="u2"))
    listed = await all_of(interface, "/actions", group_id=group)
    assert {each["member_id"] for each in listed[:2]} == {"u2"}
    assert {each["kind"] for each in listed} == {"send_message", "delete_message"}
    asked = [each["id"] for each in await all_of(interface, "/actions", group_id=group, state="requested")]
    assert asked
    receipt = ActionCompleted.create(group, Receipt(action_id=asked[0], group_id=group, detail="ok"), time=NOON)
    await interface.rig.run(lambda work: record_receipts(work, [receipt]))
    answer = (await interface.ask("GET", f"/actions/{asked[0]}", "viewer")).json()
    assert (answer["state"], answer["detail"]) == ("completed", "ok")
    left = await all_of(interface, "/actions", group_id=group, state="requested")
    assert [each["id"] for each in left] == asked[1:]
    assert asked[0] in [each["id"] for each in await all_of(interface, "/actions", state="completed")]
    still_open = await all_of(interface, "/actions", group_id=group, state="open")
    assert {each["state"] for each in still_open} <= {"requested", "assigned"}
    assert [each["id"] for each in still_open] == [each["id"] for each in left]
    assert {each["how"] for each in listed} <= {"native", "staff_task", "unsupported"}
    assert kind_of(await interface.ask("GET", f"/actions/{new_id()}")) == (404, "unknown-action")


async def test_a_member_s_standing_shows_offences_score_and_rung(interface: Interface) -> None:
    group = group_id()
    now = datetime.now(UTC)
    await judge(interface, said(group, "早上好", "加微信 abc12345", "晚安", sent_at=now))
    answer = await interface.ask("GET", f"/groups/{group}/members/u1/standing", "viewer")
    standing = answer.json()
    assert (standing["rung"], standing["messages_today"], standing["muted_until"]) == (1, 3, None)
    assert standing["score"] == pytest.approx(2, abs=0.01)
    assert standing["scores"] == {"solicitation": standing["score"]}
    assert [strike["message_id"] for strike in standing["strikes"]] == [f"{group}-u1-1"]
    unknown = await interface.ask("GET", f"/groups/{group}/members/nobody/standing")
    assert kind_of(unknown) == (404, "unknown-member")
