"""What the keeper of the rulebook reads: each change once, however late it comes to light, and nothing when quiet."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from huiqun.channel.directory.store import DIRECTORY
from huiqun.contracts.channel import Group
from huiqun.contracts.moderation import GroupMode
from huiqun.testing.events import group_dismissed
from huiqun.work import Work
from moderation.archive.model import Hold
from moderation.archive.store import holds
from moderation.policies import handlers as policies
from moderation.policies import store as policy_store
from moderation.policies.model import ModeSpan, OwnRules
from moderation.rulebook.handlers import RulebookKeeper
from tests.directories import save_groups
from tests.moderation.rig import ModerationRig

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
GROUPS = 14_000


@dataclass
class Ear(CommandListener):
    """Counts what a client asks its server and how many documents come back, by collection."""

    documents: Counter[str] = field(default_factory=Counter)
    commands: int = 0

    def started(self, _event: CommandStartedEvent) -> None:
        self.commands += 1

    def succeeded(self, event: CommandSucceededEvent) -> None:
        cursor = event.reply.get("cursor", {})
        for batch in ("firstBatch", "nextBatch"):
            if cursor.get(batch):
                self.documents[cursor["ns"].partition(".")[2]] += len(cursor[batch])

    def failed(self, _event: CommandFailedEvent) -> None:
        """Nothing came back."""

    def forget(self) -> None:
        """Begin to count anew."""
        self.documents.clear()
        self.commands = 0


@dataclass
class Site:
    """A replica, whose clock a test sets, and the keeper of another replica with an ear on it."""

    rig: ModerationRig
    keeper: RulebookKeeper
    ear: Ear

    @contextmanager
    def clock_at(self, moment: datetime) -> Iterator[None]:
        """Set the replica's clock."""
        before = self.rig.clock.moment
        self.rig.clock.moment = moment
        yield
        self.rig.clock.moment = before

    def owner_of(self, group_id: str) -> str | None:
        return self.keeper.current().policies.settings_of(group_id).owner


@pytest_asyncio.fixture
async def site(mongo_url: str, one_rig: ModerationRig) -> AsyncIterator[Site]:
    await one_rig.start_over(NOW)
    ear = Ear()
    listening = AsyncMongoClient[dict[str, Any]](mongo_url, tz_aware=True, event_listeners=[ear])
    yield Site(one_rig, RulebookKeeper(listening[one_rig.database.name]), ear)
    await listening.close()


def owned(group_id: str, owner: str = "staff-1") -> Group:
    return Group(group_id=group_id, owner=owner)


async def save(site: Site, *groups: Group) -> None:
    await site.rig.run(lambda work: save_groups(work, site.rig.directory, groups))


@asynccontextmanager
async def uncommitted(site: Site, *groups: Group) -> AsyncIterator[None]:
    """Write groups in a transaction that commits at the end of the context."""
    written, finish = asyncio.Event(), asyncio.Event()

    async def use_case(work: Work) -> None:
        await save_groups(work, site.rig.directory, groups)
        written.set()
        await finish.wait()

    task = asyncio.create_task(site.rig.run(use_case))
    await written.wait()
    yield
    finish.set()
    await task


async def test_groups_imported_at_one_time_are_read_once_and_then_nothing(site: Site) -> None:
    await site.keeper.refresh()
    for start in range(0, GROUPS, 2_000):
        await save(site, *(owned(f"g{number}") for number in range(start, start + 2_000)))
    site.ear.forget()
    await site.keeper.refresh()
    assert site.ear.documents["groups"] == GROUPS
    assert len(site.keeper.current().policies.groups) == GROUPS
    site.ear.forget()
    for _ in range(5):
        await site.keeper.refresh()
    assert site.ear.documents["groups"] == 0
    # The stamps, each a few bytes: of policies, holds and lexicon, and the counters of the groups.
    assert site.ear.commands == 5 * 4
    assert site.ear.documents.total() <= 5 * 40


async def test_groups_that_were_there_before_counters_were_are_read_once(site: Site) -> None:
    await save(site, *(owned(f"g{number}") for number in range(100)))
    await site.rig.database["group_revisions"].delete_many({})
    for expected in (100, 0):
        site.ear.forget()
        await site.keeper.refresh()
        assert site.ear.documents["groups"] == expected


async def test_a_change_that_comes_to_light_after_a_later_one_is_not_missed(site: Site) -> None:
    await site.keeper.refresh()
    async with uncommitted(site, owned("slow")):
        with site.clock_at(NOW + timedelta(hours=1)):
            for number in range(5):
                await save_until_it_passes(site, owned(f"quick{number}"))
        await site.keeper.refresh()
        assert site.owner_of("quick4") == "staff-1"
        assert site.owner_of("slow") is None
    await site.keeper.refresh()
    assert site.owner_of("slow") == "staff-1"


async def save_until_it_passes(site: Site, group: Group) -> None:
    """As a consumer does: what meets the counter of the transaction that is open runs again."""
    await site.rig.run(lambda work: save_groups(work, site.rig.directory, [group]))


@pytest.mark.parametrize("skew", [timedelta(days=-1), timedelta(minutes=-1), timedelta(days=1)])
async def test_a_replica_whose_clock_is_wrong_is_heard_all_the_same(site: Site, skew: timedelta) -> None:
    await save(site, owned("g1"))
    await site.keeper.refresh()
    with site.clock_at(NOW + skew):
        await save(site, owned("g2"))
    await site.keeper.refresh()
    assert site.owner_of("g2") == "staff-1"
    await save(site, owned("g1", "staff-2"))
    await site.keeper.refresh()
    assert site.owner_of("g1") == "staff-2"


async def test_whatever_changes_a_group_is_read_once(site: Site) -> None:
    await save(site, owned("g1"))
    await site.keeper.refresh()
    span = ModeSpan(GroupMode.QUIET, NOW, NOW + timedelta(hours=1), frozenset())
    changes = (
        lambda work: policy_store.assign(work, "g1", "vip"),
        lambda work: policy_store.set_modes(work, {"g1": span}),
        lambda work: policy_store.set_own_rules(work, OwnRules("g1", 1, {"quota": {"per_day": 1}})),
        lambda work: policies.record_groups(work, [group_dismissed("g1")], site.rig.directory),
    )
    for change in changes:
        await site.rig.run(change)
        for expected in (1, 0):
            site.ear.forget()
            await site.keeper.refresh()
            assert site.ear.documents["groups"] == expected
    settings = site.keeper.current().policies.settings_of("g1")
    assert (settings.policy_id, settings.mode, settings.dismissed) == ("vip", span, True)


async def test_a_store_that_was_restored_to_an_earlier_time_is_read_again(site: Site) -> None:
    await save(site, owned("g1"))
    for number in range(10):
        await save(site, owned("g2", f"staff-{number}"))
    await site.keeper.refresh()
    database = site.rig.database
    await database["group_revisions"].update_many({}, {"$set": {"revision": 0}})
    await database[DIRECTORY].update_one({"_id": "g1"}, {"$set": {"owner": "staff-7"}})
    await site.keeper.refresh()
    assert site.owner_of("g1") == "staff-7"


async def test_a_hold_and_its_end_are_read_once(site: Site) -> None:
    hold = Hold(id="h1", groups=("g1",), members=(), since=None, until=None, reason="x", placed_by="a", placed_at=NOW)
    await site.rig.run(lambda work: holds.add(work, hold))
    for expected in (1, 0):
        site.ear.forget()
        await site.keeper.refresh()
        assert site.ear.documents["holds"] == expected
