"""Every event of the contracts, with personal data planted wherever a sender could write some."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from huiqun.contracts.catalog import EVENTS
from huiqun.contracts.channel import GroupListed
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import PRIVACY_REQUESTS
from tests.privacy.planting import Planter, Schema
from tests.privacy.plants import Plants

#: Fields without a mark that are no prose: whoever is meant by them signs, compares or parses them.
UNMARKED: Mapping[str, str] = {
    "source": "who published it: part of an event's identity",
    "dataschema": "the address of a schema; nobody keeps it",
    "timezone": "an IANA name, or the event is refused",
    "requested_by": "the id of a principal",
    "decided_by": "the id of a principal",
    "activated_by": "the id of a principal",
    "opened_by": "the id of a principal",
    "closed_by": "the id of a principal",
    "policy_version": "made by us from ids and numbers",
    "lexicon_version": "made by us from a moment",
    "rules_version": "made by us: a hash",
    "content": "composed by a service of texts that are masked, of members' ids, which stay whole, and of signed links",
}
_numbers = count(1)


def planter_of(kind: type[Event], plants: Plants, now: Callable[[], datetime]) -> tuple[Planter, Schema]:
    """What makes the values of an event, and its schema."""
    schema = kind.model_json_schema()
    known: dict[str, Any] = {
        **dict.fromkeys(("group_id", "subject"), "g1"),
        **dict.fromkeys(("member_id", "invited_by", "recalled_by"), "u1"),
        **dict.fromkeys(("owner", "assignee", *(name for name in UNMARKED if name.endswith("_by"))), "staff-1"),
        **dict.fromkeys(("time", "sent_at", "opened_at", "closed_at", "as_of", "joined_at"), lambda: now().isoformat()),
        **dict.fromkeys(("until", "due_at", "deadline", "not_before", "expires_at"), lambda: _soon(now())),
        **dict.fromkeys(("id", "message_id", "action_id", "case_id", "sanction_id", "incident_id"), _new_id),
        "policy_id": "default",
        "content": "请留意群规",
        "mentions": ["u2"],
        "reply_to": "m0",
        "timezone": "Asia/Shanghai",
        **dict.fromkeys(("source", "channel"), "channel"),
        "dataschema": "urn:huiqun:event",
        "policy_version": "default@1",
        "lexicon_version": "2026-11-22T08:00:00Z",
        "rules_version": "9f86d081",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    if kind.topic == PRIVACY_REQUESTS:
        known["member_id"] = "somebody-else"  # what the others tell of is looked for afterwards
    return Planter(plants, schema.get("$defs", {}), known), schema


def planted_events(plants: Plants, now: Callable[[], datetime], times: int) -> Iterator[tuple[type[Event], bytes]]:
    """Each event so many times, as its sender would write it; groups stay, and nobody leaves before the end."""
    for _ in range(times):
        for kind in sorted(EVENTS, key=lambda event: event.model_fields["type"].default):
            planter, schema = planter_of(kind, plants, now)
            event = planter.value(schema, kind.__name__)
            if kind is GroupListed:
                event["data"]["complete"] = False
            if "dismissed" not in kind.model_fields["type"].default:
                yield kind, json.dumps(event, ensure_ascii=False).encode()


def broken(event: Mapping[str, Any], plants: Plants) -> Iterator[dict[str, Any]]:
    """The event with each of its values in turn replaced by what no schema allows, and that quotes personal data."""
    for name, value in event.items():
        for wrong in (plants.prose("a broken field", None), {plants.mobile("a broken field"): [plants.name("a name")]}):
            if not (name == "data" and isinstance(wrong, dict)):
                yield {**event, name: wrong}
        if isinstance(value, dict):
            yield from ({**event, name: inner} for inner in broken(value, plants))


def _soon(now: datetime) -> str:
    return (now + timedelta(hours=1)).isoformat()


def _new_id() -> str:
    return f"id-{next(_numbers)}"
