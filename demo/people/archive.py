"""What was said is looked up, held, sampled and exported."""

import csv
import hashlib
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from io import StringIO
from typing import Any, Final

import orjson

from demo.people.api_user import Answer
from demo.people.morning import Morning
from demo.story.huimin import ID_CARD
from demo.story.numbers import full_width_number

_GROUP: Final = "licai"
_SIZE: Final = 20


async def trace_records(morning: Morning) -> AsyncIterator[str]:
    """Records stand in order, say by what they were judged, and nobody can take one away."""
    listed = (await morning.su.read("/messages", group_id=_GROUP, limit=100))["items"]
    if [each["sent_at"] for each in listed] != sorted(each["sent_at"] for each in listed):
        yield "messages are not in the order they were sent"
    if not all(each["policy"].startswith("discussion@") and each["lexicon"] for each in listed):
        yield "a message does not say by what it was judged"
    edited = next((each for each in listed if each["revision"]), listed[0])
    both = (await morning.su.read(f"/messages/{edited['message_id']}"))["revisions"]
    if [each["verdict"] for each in both] != ["allow", "block"]:
        yield f"an edited message: {[each['verdict'] for each in both]}"
    status = await morning.fang.refused("DELETE", f"/messages/{edited['message_id']}")
    if status != HTTPStatus.METHOD_NOT_ALLOWED:
        yield f"deleting a message: {status}"
    morning.log_deed(morning.su, "follows an edited message", f"{len(both)} revisions, judged by {both[-1]['policy']}")
    morning.log_deed(morning.fang, "tries to delete it", f"no way to: {status}")


async def hold_records(morning: Morning) -> AsyncIterator[str]:
    """Under a legal hold nothing expires; lifted, it does again."""
    su = morning.su
    wish = {"groups": [_GROUP], "members": ["jin"], "reason": "诉讼保全：荐股纠纷", **morning.day.query}
    (said, *_) = (await su.read("/messages", group_id=_GROUP, member_id="jin"))["items"]
    hold = await su.post("/holds", wish)
    await morning.wait_for(lambda: _expiry(morning, said, held=True), "a message to be held")
    morning.log_deed(su, "holds what 金老师 wrote", f"kept beyond {said['expires_on'][:10]}")
    await su.post(f"/holds/{hold['id']}/lift", {"reason": "案件已结"})
    after = await morning.wait_for(lambda: _expiry(morning, said, held=False), "a message to be let go")
    if after["expires_on"] != said["expires_on"]:
        yield f"expires on {after['expires_on']} instead of {said['expires_on']}"
    morning.log_deed(su, "lifts the hold", "expires as the policy says")


async def look_up_number(morning: Morning) -> AsyncIterator[str]:
    """Who wrote an ID number is found by its keyed hash, in any spelling; the question is audited without it."""
    su = morning.su
    found = (await su.post("/messages/lookup", {"value": full_width_number(ID_CARD), "kind": "id_card"}))["items"]
    if {each["member_id"] for each in found} != {"feng"} or any(ID_CARD in each["text"] for each in found):
        yield f"found {[each['message_id'] for each in found]}"
    (entry, *_) = (await morning.fang.read("/audit", actor=su.id, limit=1))["items"]
    if entry["action"] != "personal_data.looked_up" or ID_CARD in str(entry):
        yield f"audited as {entry['action']}"
    morning.log_deed(su, "asks who wrote an ID number", f"冯桂兰, {len(found)} times; audited by its hash")


async def draw_samples(morning: Morning) -> AsyncIterator[str]:
    """The same seed draws the same messages; what a supervisor says of one is kept."""
    su = morning.su
    drawn = [await _sample(morning, seed) for seed in ("2026-Q1", "2026-Q1", "2026-Q2")]
    if drawn[0] != drawn[1] or drawn[0] == drawn[2] or len(drawn[0]) != _SIZE:
        yield "the sample does not depend on its seed alone"
    await su.post(f"/messages/{drawn[0][0]}/reviews", {"outcome": "ok", "note": "答复规范"})
    if not (await su.read(f"/messages/{drawn[0][0]}/reviews"))["items"]:
        yield "the review of a message was not kept"
    morning.log_deed(su, f"draws {_SIZE} messages twice", "the same ones; another seed draws others")


async def export_records(morning: Morning) -> AsyncIterator[str]:
    """What was said leaves as JSON lines and as CSV, with progress, and a hash that stands in the audit log."""
    files: dict[str, bytes] = {}
    for form in ("jsonl", "csv"):
        export = await _export(morning, form)
        files[form] = await morning.su.fetch(f"/exports/{export['id']}/file")
        if hashlib.sha256(files[form]).hexdigest() != export["sha256"] or export["messages"] != export["total"]:
            yield f"{export['messages']} of {export['total']} messages as {form}, or another hash"
    lines = [orjson.loads(line) for line in files["jsonl"].splitlines()]
    rows = list(csv.DictReader(StringIO(files["csv"].decode("utf-8-sig"), newline="")))
    if [line["message_id"] for line in lines] != [row["message_id"] for row in rows] or not lines:
        yield f"{len(lines)} lines and {len(rows)} rows"
    if ID_CARD.encode() in files["csv"]:
        yield "the export shows a number"
    morning.log_deed(morning.su, "exports the day as JSONL and CSV", f"{len(lines)} messages in each, hashes agree")


async def _expiry(morning: Morning, said: Answer, *, held: bool) -> Answer | None:
    found = (await morning.su.read(f"/messages/{said['message_id']}"))["revisions"][0]
    return found if (found["expires_on"] is None) is held else None


async def _sample(morning: Morning, seed: str) -> list[str]:
    query: Mapping[str, Any] = {"seed": seed, "size": _SIZE, **morning.day.query}
    return [each["message"]["message_id"] for each in (await morning.su.read("/messages/sample", **query))["items"]]


async def _export(morning: Morning, form: str) -> Answer:
    export = await morning.su.post("/exports", {"groups": [_GROUP, "huimin"], "format": form, **morning.day.query})

    async def done() -> Answer | None:
        now: Answer = await morning.su.read(f"/exports/{export['id']}")
        return now if now["state"] == "done" else None

    return await morning.wait_for(done, f"an export as {form}")
