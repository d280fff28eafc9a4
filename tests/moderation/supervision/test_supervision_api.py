"""Supervision over HTTP, for auditors: who wrote what, samples, reviews."""

from datetime import timedelta

import pytest

from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface, kind_of

CARD = "6222021001122334409"
RANGE = {"from": (NOON - timedelta(hours=1)).isoformat(), "to": (NOON + timedelta(hours=1)).isoformat()}


async def test_who_posted_a_card_is_answered_page_by_page_and_audited(interface: Interface) -> None:
    group = group_id()
    await judge(
        interface, [*said(group, f"卡号{CARD}", "没有", f"还是 {CARD}"), *said(group, f"也是{CARD}", member="u2")]
    )
    body = {"value": f" {CARD[:4]}-{CARD[4:]} ", "kind": "bank_card"}
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await interface.ask("POST", "/messages/lookup", "auditor", json=body, params={"limit": 1, **cursor})
        assert page.status_code == 200, page.text
        found += [each["member_id"] for each in page.json()["items"] if each["group_id"] == group]
        if not page.json()["next_cursor"]:
            break
        cursor = {"cursor": page.json()["next_cursor"]}
    assert sorted(found) == ["u1", "u1", "u2"]
    assert "personal_data.looked_up" in await interface.audited("personal_data/bank_card")
    entries = await interface.rig.database["audit_log"].find().to_list(None)
    assert CARD not in str(entries)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("你好", "bank_card", "no-personal-data"),
        (CARD, "mobile", "no-personal-data"),
        (CARD, "name", "invalid-request"),
    ],
)
async def test_only_personal_data_can_be_looked_up(interface: Interface, value: str, kind: str, expected: str) -> None:
    answer = await interface.ask("POST", "/messages/lookup", "auditor", json={"value": value, "kind": kind})
    assert kind_of(answer) == (422, expected)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/messages/lookup"),
        ("GET", "/messages/sample"),
        ("POST", "/messages/m/reviews"),
        ("GET", "/message-reviews"),
        ("GET", "/holds"),
        ("POST", "/holds"),
        ("GET", "/exports"),
        ("GET", "/exports/x/file"),
    ],
)
async def test_supervision_is_for_auditors(interface: Interface, method: str, path: str) -> None:
    assert kind_of(await interface.ask(method, path, "moderator")) == (403, "forbidden")


async def test_a_supervisor_draws_a_sample_and_says_what_is_to_be_said(interface: Interface) -> None:
    group = group_id()
    await judge(interface, said(group, *(f"第{number}句" for number in range(20))))
    order = {"seed": "2026-Q4", **RANGE, "group_id": group, "size": 5}
    first = (await interface.ask("GET", "/messages/sample", "auditor", params=order)).json()
    message_id = first["items"][0]["message"]["message_id"]
    opinion = {"outcome": "concern", "note": "留了电话 13800138000"}
    said_so = await interface.ask("POST", f"/messages/{message_id}/reviews", "auditor", json=opinion)
    assert (said_so.status_code, said_so.json()["note"]) == (201, "留了电话 138****8000")
    again = (await interface.ask("GET", "/messages/sample", "auditor", params=order)).json()
    assert (again["population"], len(again["items"])) == (20, 5)
    assert [each["message"] for each in again["items"]] == [each["message"] for each in first["items"]]
    assert again["items"][0]["reviews"] == [said_so.json()]
    of_message = await interface.ask("GET", f"/messages/{message_id}/reviews", "auditor")
    assert of_message.json()["items"] == [said_so.json()]
    concerns = await interface.ask(
        "GET", "/message-reviews", "auditor", params={"group_id": group, "outcome": "concern"}
    )
    assert concerns.json()["items"] == [said_so.json()]
    fine = await interface.ask("GET", "/message-reviews", "auditor", params={"group_id": group, "outcome": "ok"})
    assert fine.json()["items"] == []
    assert await interface.audited(f"message/{message_id}") == ["message.reviewed"]
    unknown = await interface.ask("POST", f"/messages/{new_id()}/reviews", "auditor", json=opinion)
    assert kind_of(unknown) == (404, "not-found")


@pytest.mark.parametrize(
    "change",
    [{"to": RANGE["from"]}, {"to": "2027-11-01T00:00:00Z"}, {"size": "501"}, {"seed": ""}, {"group_id": "a/b"}],
)
async def test_a_sample_that_makes_no_sense_is_refused(interface: Interface, change: dict[str, str]) -> None:
    order = {"seed": "2026-Q4", **RANGE, **change}
    assert kind_of(await interface.ask("GET", "/messages/sample", "auditor", params=order)) == (422, "invalid-request")
