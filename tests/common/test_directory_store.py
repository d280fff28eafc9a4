"""The directory on a real store: one read and one write a batch, the same in any order, and no name in the clear."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

import hypothesis.strategies as st
import pytest_asyncio
from hypothesis import HealthCheck, given, settings

from huiqun.channel.directory.fold import DirectoryChanges, DirectorySnapshot
from huiqun.channel.directory.store import (
    DIRECTORY,
    DIRECTORY_INDEXES,
    find_group,
    find_member,
    list_account_memberships,
    list_members,
    list_present_members,
    read_directory,
)
from huiqun.contracts.channel import LeaveReason, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.fields import Account
from huiqun.contracts.moderation import MessageScreened
from huiqun.testing.events import (
    group_created,
    group_dismissed,
    group_listed,
    group_updated,
    member_joined,
    member_left,
    member_updated,
    message_screened,
    minutes_after_noon,
)
from huiqun.testing.rig import Rig
from huiqun.work import Work
from tests.delivery_orders import delivery_orders
from tests.servers import new_database_name

T = TypeVar("T")
IDS = {"unionid": "union-1", "external_userid": "wm.$1"}


class Store:
    """A directory, and what it leaves in the store."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.directory = rig.directory
        self.database = rig.database

    async def commit(self, use_case: Callable[[Work], Awaitable[T]]) -> T:
        return await self.rig.run(use_case)

    async def tell(self, *events: Event) -> DirectoryChanges:
        """One batch: what the channel says, and then what messages do."""
        messages = [event for event in events if isinstance(event, MessageScreened)]
        rest: Sequence[Any] = [event for event in events if not isinstance(event, MessageScreened)]

        async def use_case(work: Work) -> DirectoryChanges:
            changes = await self.directory.record_events(work, rest)
            await self.directory.record_senders(work, messages)
            return changes

        return await self.commit(use_case)

    async def erase(self, channel: str, member_id: str, minute: float = 60) -> int:
        """Erase an account as it was at `minute`; returns how many memberships there were."""
        accounts = [Account(channel, member_id)]

        async def use_case(work: Work) -> int:
            await self.directory.suppression.suppress_accounts(work, accounts, minutes_after_noon(minute))
            return await self.directory.erase_memberships(work, accounts, minutes_after_noon(minute), limit=100)

        return await self.commit(use_case)

    async def documents(self) -> dict[str, dict[str, Any]]:
        """The documents, with names and ids as they were told: what is encrypted looks different each time."""
        found = {}
        async for each in self.database[DIRECTORY].find({}, {"updated_at": 0, "revision": 0}):
            if each["record"] == "member":
                member = await find_member(self.rig.reader, each["group_id"], each["member_id"])
                assert member is not None
                details = (await self.directory.reveal_personal_details([member]))[member.key]
                each.get("name", {}).pop("value", None)
                each["ids"] = [(one["kind"], one["at"]) for one in each["ids"]]
                each["details"] = (details.display_name, details.external_ids)
            found[each["_id"]] = each
        return found


@pytest_asyncio.fixture(scope="module")
async def one_rig(mongo_url: str) -> AsyncIterator[Rig]:
    async with Rig.open(mongo_url, new_database_name(), DIRECTORY_INDEXES) as opened:
        yield opened


@pytest_asyncio.fixture
async def store(one_rig: Rig) -> Store:
    await one_rig.clear()
    return Store(one_rig)


async def test_names_and_ids_are_stored_encrypted_and_read_out(store: Store) -> None:
    await store.tell(member_joined("g1", "u1", display_name="李女士", external_ids=IDS))
    (document,) = await store.database[DIRECTORY].find().to_list(None)
    assert not any(secret in str(document) for secret in ("李女士", "union-1", "wm.$1"))
    member = await find_member(store.rig.reader, "g1", "u1")
    assert member is not None
    details = (await store.directory.reveal_personal_details([member]))["g1/u1"]
    assert (details.display_name, details.external_ids) == ("李女士", IDS)
    assert "李" not in repr((member, details))


async def test_what_is_told_anew_leaves_what_is_encrypted_already_as_it_is(store: Store) -> None:
    await store.tell(member_joined("g1", "u1", display_name="李女士", external_ids=IDS))
    before = await store.database[DIRECTORY].find_one({"_id": "g1/u1"})
    await store.tell(member_updated("g1", "u1", 1, role=Role.STAFF))
    after = await store.database[DIRECTORY].find_one({"_id": "g1/u1"})
    assert before is not None
    assert after is not None
    assert (after["name"], after["ids"]) == (before["name"], before["ids"])
    assert after["role"] == "staff"


async def test_erasure_takes_names_and_ids_out_of_every_group_and_nothing_else(store: Store) -> None:
    event = member_joined("g1", "u1", display_name="李女士", external_ids=IDS)
    await store.tell(event, member_joined("g2", "u1", display_name="李"), member_joined("g1", "u2", display_name="王"))
    assert await store.erase("channel", "u1") == 2
    assert await store.erase("wecom/another", "u2") == 0
    await store.tell(event)
    documents = await store.documents()
    assert [documents[key]["details"] for key in ("g1/u1", "g2/u1", "g1/u2")] == [("", {}), ("", {}), ("王", {})]
    assert documents["g1/u1"]["present"]


async def test_a_batch_is_read_at_once_and_written_at_once(store: Store) -> None:
    events: list[Event] = [group_created(f"g{n}") for n in range(20)]
    events += [member_joined(f"g{n % 20}", f"u{n}", display_name="李女士") for n in range(300)]
    await store.tell(member_joined("g0", "u0"))
    await store.database.command("profile", 2)
    await store.commit(lambda work: store.directory.record_events(work, events))  # type: ignore[arg-type]
    await store.database.command("profile", 0)
    namespace = f"{store.database.name}.{DIRECTORY}"
    profiled = await store.database["system.profile"].find({"ns": namespace}).to_list(None)
    await store.database.drop_collection("system.profile")  # nobody may empty it
    commands = [next(iter(each["command"])) for each in profiled if each["op"] in ("query", "getmore")]
    assert commands == ["find"]


async def test_senders_are_noted_only_of_whom_the_channel_has_said_nothing(store: Store) -> None:
    await store.tell(member_joined("g1", "u1"), group_created("g1", timezone="Europe/London"))

    async def note(work: Work) -> DirectorySnapshot:
        messages = [message_screened("g1", "u1", 5), message_screened("g1", "u2", 6), message_screened("g2", "u3", 7)]
        return await store.directory.record_senders(work, messages)

    known = await store.commit(note)
    assert known.group("g1").profile.timezone == "Europe/London"
    assert known.member("g1", "u2").role is Role.CUSTOMER
    assert not known.group("g2").is_known
    heard = {key: each["heard_at"] for key, each in (await store.documents()).items() if each["record"] == "member"}
    assert heard == {"g1/u1": minutes_after_noon(0), "g1/u2": minutes_after_noon(6), "g2/u3": minutes_after_noon(7)}


async def test_a_whole_listing_marks_who_is_not_on_it_however_long_known(store: Store) -> None:
    await store.tell(
        *(member_joined("g1", f"u{n}", n, display_name="李") for n in range(30)), member_joined("g10", "u1")
    )
    changes = await store.tell(group_listed("g1", [f"u{n}" for n in range(10)], 50, page=1, pages=2))
    assert not changes.departed
    changes = await store.tell(group_listed("g1", [f"u{n}" for n in range(10, 20)], 50, page=2, pages=2))
    assert changes.departed.keys() == {f"g1/u{n}" for n in range(20, 30)}
    present = await list_present_members(store.rig.reader, "g1")
    assert {member.member_id for member in present} == {f"u{n}" for n in range(20)}
    (elsewhere,) = await list_present_members(store.rig.reader, "g10")
    assert elsewhere.member_id == "u1"
    gone = (await store.documents())["g1/u25"]
    assert (gone["gone_since"], gone["details"]) == (minutes_after_noon(25), ("李", {}))


async def test_a_stranger_who_writes_while_a_listing_comes_is_not_forgotten_in_the_group(store: Store) -> None:
    for number in range(20):
        group = f"g{number}"
        events: list[Event] = [group_listed(group, ["u1"], 5), message_screened(group, "stranger", 1)]
        await asyncio.gather(*map(store.tell, events))
        member = await find_member(store.rig.reader, group, "stranger")
        assert member is not None
        assert not member.is_present


async def test_lists_come_in_pages_and_do_not_mix_groups(store: Store) -> None:
    await store.tell(*(member_joined(group, f"u{n}") for group in ("g1", "g10", "g1-a", "g") for n in range(5)))
    await store.tell(
        member_left("g1", "u1", 1, LeaveReason.REMOVED),
        group_created("g1"),
        group_created("g10"),
        group_updated("g2", purpose="benefits"),
    )
    first = await list_members(store.rig.reader, "g1", present=True, limit=2)
    rest = await list_members(store.rig.reader, "g1", present=True, after=first[-1].member_id, limit=9)
    assert [member.member_id for member in (*first, *rest)] == ["u0", "u2", "u3", "u4"]
    (gone,) = await list_members(store.rig.reader, "g1", present=False, limit=9)
    assert (gone.member_id, gone.left_reason) == ("u1", LeaveReason.REMOVED)
    accounts = await list_account_memberships(store.rig.reader, [("channel", "u3")])
    assert [member.group_id for member in accounts] == ["g", "g1-a", "g1", "g10"]
    assert await find_group(store.rig.reader, "g3") is None


STREAMS: list[list[Event]] = [
    [
        group_created("a"),
        group_updated("a", 1, name="理财", owner="staff-1"),
        group_updated("a", 2, kind="private"),
        group_dismissed("b", 3),
    ],
    [
        member_joined("a", "u1", 1, display_name="李"),
        member_left("a", "u1", 2),
        member_joined("a", "u1", 2, external_ids=IDS),
    ],
    [
        member_joined("a", "u2", 1),
        group_listed("a", ["u1", "u9"], 5, page=1, pages=2),
        group_listed("a", ["u8"], 5, page=2, pages=2),
    ],
    [message_screened("a", "u1", 9), message_screened("a", "u7", 1), message_screened("a", "u6", 7, role=Role.STAFF)],
    [
        member_joined("b", "u1", 1),
        group_listed("b", [], 5, complete=False),
        member_updated("b", "u1", 2, display_name="李女士"),
    ],
    [
        member_joined("b", "u2", 3),
        member_left("b", "u2", 3),
        group_listed("b", [], 2),
        message_screened("b", "u3", 1),
        member_updated("b", "u3", 1),
    ],
]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_any_order_of_batches_and_duplicates_lead_to_the_same_documents(
    store: Store, data: st.DataObject
) -> None:
    await store.database[DIRECTORY].delete_many({})
    for stream in STREAMS:
        await store.tell(*stream)
    expected = await store.documents()
    present = {key for key, each in expected.items() if each.get("present")}
    assert present == {"a/u1", "a/u6", "a/u8", "a/u9", "b/u1"}
    await store.database[DIRECTORY].delete_many({})
    for batch in data.draw(delivery_orders(STREAMS)):
        await store.tell(*batch)
    assert await store.documents() == expected


async def test_nothing_is_read_for_nobody(store: Store) -> None:
    found = await store.commit(read_directory)
    assert (found.groups, found.members) == ({}, {})
