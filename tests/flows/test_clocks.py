"""A sender whose clock is decades ahead pins nothing: what comes afterwards counts, in each of the four services."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

import crm_sync.app
import crm_sync.documents
import engagement.app
import engagement.documents
import moderation.app
import moderation.documents
import survey.app
import survey.documents
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import list_members
from huiqun.contracts.channel import Role
from huiqun.contracts.envelope import Event
from huiqun.store import Index
from huiqun.stream import Route
from huiqun.testing.events import NOON, member_joined, member_left, member_updated, message_screened
from huiqun.testing.rig import Rig
from moderation.rulebook.model import EMPTY_RULEBOOK

MINUTE = timedelta(minutes=1)
Shown = Callable[[Rig], Awaitable[tuple[Any, ...]]]
Wired = Callable[[Directory], Sequence[Route]]


async def shown_by_moderation(rig: Rig) -> tuple[Any, ...]:
    (member,) = await list_members(rig.reader, "g1", limit=9)
    return member.role, await rig.directory.find_display_name([member]), member.is_present


async def shown_by_engagement(rig: Rig) -> tuple[Any, ...]:
    (activity,) = await rig.documents("activity")
    return *await shown_by_moderation(rig), activity["last_seen"]


async def shown_by_crm_sync(rig: Rig) -> tuple[Any, ...]:
    (account,) = await rig.documents("members")
    return *await shown_by_moderation(rig), account["last_seen"]


async def shown_by_survey(rig: Rig) -> tuple[Any, ...]:
    (record,) = await rig.documents("eligibility")
    return *await shown_by_moderation(rig), record["role"], record["in_group"], record["reason"]


def moderation_routes(directory: Directory) -> Sequence[Route]:
    return moderation.app.routes(lambda: EMPTY_RULEBOOK, directory, b"")


SERVICES: Mapping[str, tuple[Wired, Mapping[str, Sequence[Index]], Shown]] = {
    "moderation": (moderation_routes, moderation.documents.INDEXES, shown_by_moderation),
    "engagement": (engagement.app.routes, engagement.documents.INDEXES, shown_by_engagement),
    "crm-sync": (crm_sync.app.routes, crm_sync.documents.INDEXES, shown_by_crm_sync),
    "survey": (survey.app.routes, survey.documents.INDEXES, shown_by_survey),
}


async def tell(rig: Rig, told: Sequence[Event]) -> None:
    """Deliver events a minute apart."""
    for event in told:
        if rig.has_route_for(event):
            await rig.deliver(event)
        rig.clock.moment += MINUTE


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_dated_decades_ahead_pins_neither_name_nor_role_nor_presence(
    mongo_url: str, database_name: str, service: str
) -> None:
    routes, indexes, shown = SERVICES[service]
    ahead = NOON.replace(year=2099)
    honest: list[Event] = [
        member_joined("g1", "u1", 0, display_name="王"),
        member_updated("g1", "u1", 1, display_name="王女士"),
        member_left("g1", "u1", 2),
        member_joined("g1", "u1", 3, display_name="王女士"),
        message_screened("g1", "u1", 4),
        member_updated("g1", "u1", 5, display_name="小王"),
    ]
    broken: list[Event] = [
        member_updated("g1", "u1", 0, display_name="官方", role=Role.STAFF),
        member_left("g1", "u1", 0),
        member_joined("g1", "u1", 0, display_name="官方", role=Role.STAFF),
    ]
    stories = []
    async with Rig.open(mongo_url, database_name, indexes) as rig:
        rig.wire(routes=routes(rig.directory))
        for told in (honest, [*(each.model_copy(update={"time": ahead}) for each in broken), *honest]):
            # The honest ones are told at the times they bear, the others before.
            rig.clock.moment = NOON - (len(told) - len(honest)) * MINUTE
            await rig.clear()
            await tell(rig, told)
            stories.append(await shown(rig))
    assert stories[0] == stories[1]
