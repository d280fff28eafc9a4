"""What the channel is asked to do, over HTTP."""

from typing import Any

from huiqun.channel.actions.handlers import record_receipts
from huiqun.contracts.channel import ActionCompleted
from huiqun.contracts.channel.actions import Receipt
from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface, kind_of


async def all_of(interface: Interface, path: str, **filters: str) -> list[dict[str, Any]]:
    return await interface.list_all(path, "viewer", **filters)


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
    assert kind_of(await interface.ask("GET", f"/actions/{new_id()}")) == (404, "not-found")
