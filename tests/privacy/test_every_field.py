"""Whatever is written into any field of any event or request, nobody finds personal data where it does not belong."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from huiqun.contracts.topics import TOPICS
from tests.privacy.conftest import NUMBER, Day
from tests.privacy.holdings import declared_empty, named_by_holdings
from tests.privacy.house import SERVICES

_STAFF = "the list of authorised staff, which an operator puts there"
_CUSTOMERS = "by these, customers are told apart: encrypted and hashed with crm-sync's own keys, until when it says so"
_COMPARED = "the words of a lexicon are compared with messages; an operator puts them there"
#: What holds names and ids of other platforms in the clear, by service, collection and field, and why.
OPEN: Mapping[str, str] = {
    "moderation.staff.name": _STAFF,
    "crm-sync.members.ids.value": _CUSTOMERS,
    "crm-sync.members.claims.value": _CUSTOMERS,
    "crm-sync.identity_evidence._id": _CUSTOMERS,
    "crm-sync.identity_evidence.value": _CUSTOMERS,
    "moderation.words.words": _COMPARED,
    "moderation.words.last": _COMPARED,
}
_BODIES = frozenset(topic.name for topic in TOPICS if topic.owner == "channel" or ".dead-letters." in topic.name)


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Everything in a document, with the names of the fields that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.<key>", name
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


async def stored(day: Day) -> AsyncIterator[tuple[str, Any]]:
    """What stands in every collection of every service."""
    async for collection, document in day.house.documents():
        for path, value in leaves(document, collection):
            yield path, value


async def published(day: Day) -> AsyncIterator[tuple[str, Any]]:
    """What stands on the topics: all of it, but for the bodies of what came from the channel."""
    for topic in TOPICS:
        for record in await day.house.records(topic):
            # Its own headers are part of what came; the sender's key and headers hold ids only.
            yield topic.name, [record.key, [list(header) for header in record.headers]]
            if topic.name not in _BODIES:
                yield topic.name, record.value


async def leaks(day: Day, seen: AsyncIterator[tuple[str, Any]]) -> dict[str, set[str]]:
    """Where personal data is to be seen, and in which fields it was planted."""
    found: dict[str, set[str]] = {}
    async for place, value in seen:
        if planted := day.plants.found_in(value):
            found.setdefault(place, set()).update(planted)
    return found


async def test_no_collection_holds_personal_data_but_those_that_are_listed(day: Day) -> None:
    found = await leaks(day, stored(day))
    assert {place: planted for place, planted in found.items() if place not in OPEN} == {}


async def test_no_topic_holds_personal_data_but_the_channels_own(day: Day) -> None:
    found = await leaks(day, published(day))
    assert {place: planted for place, planted in found.items() if place not in OPEN} == {}


@pytest.mark.parametrize("kind", ["log", "metrics", "spans"])
async def test_nothing_that_operators_see_holds_personal_data(day: Day, kind: str) -> None:
    lines = day.house.seen()[kind]
    assert len(lines) > 100
    assert [line for line in lines if day.plants.found_in(line) or "eyJ" in line] == []


async def test_what_is_listed_as_open_is_really_there(day: Day) -> None:
    found = {**await leaks(day, stored(day)), **await leaks(day, published(day))}
    assert OPEN.keys() - found.keys() == set()


async def test_every_text_was_accepted_by_the_routes_that_take_one(day: Day) -> None:
    writes = [route for route in day.caller.answers if route.startswith(("POST", "PUT"))]
    assert len(writes) > 30
    # The page of a consent has a button and no field.
    assert [route for route in writes if not day.caller.has_done(route)] == ["POST /consent"]


async def test_an_id_that_is_a_number_stays_an_id_and_is_masked_in_logs(day: Day) -> None:
    moderation, crm = day.house.moderation, day.house.services["crm-sync"]
    read = await moderation.http.get(f"/api/v1/groups/g1/members/{NUMBER}")
    assert read.json()["member_id"] == NUMBER
    assert await moderation.connected.database["messages"].find_one({"member_id": NUMBER}) is not None
    assert (await crm.http.get(f"/api/v1/customers/{NUMBER}")).json()["groups"] == ["g1"]
    assert [line for line in day.house.seen()["log"] if NUMBER in line] == []
    entries = [str(entry) async for entry in moderation.connected.database["audit_log"].find({"action": "names.read"})]
    assert any("138****5678" in entry for entry in entries)
    assert all(NUMBER not in entry for entry in entries)


async def test_events_reached_the_services_and_broken_ones_became_dead_letters(day: Day) -> None:
    for name, service in day.house.services.items():
        letters = [topic for topic in TOPICS if topic.name == f"{name}.dead-letters.v1"]
        assert len(await day.house.records(letters[0])) > 10
        assert await service.connected.database["inbox"].count_documents({}) > 10
    reasons = {
        bytes(value).decode()
        for record in await day.house.records(letters[0])
        for header, value in record.headers
        if header == "dead-letter-reason"
    }
    assert any("data" in reason for reason in reasons)
    assert all(len(reason) < 2_000 for reason in reasons)


async def test_no_service_makes_a_collection_that_is_not_declared(day: Day) -> None:
    for name, service in day.house.services.items():
        module: Any = SERVICES[name]
        known = named_by_holdings(module) | declared_empty(module).keys()
        assert set(await service.connected.database.list_collection_names()) - known == set()
