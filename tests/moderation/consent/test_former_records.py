"""What moderation kept of groups and members before there was a directory is found again, and carried over."""

from datetime import timedelta
from typing import Any

import pytest_asyncio

from huiqun.channel.directory.store import find_group
from huiqun.contracts.channel import LeaveReason, Role
from moderation.consent.store import FORMER_MEMBERS
from moderation.groups.handlers import get_group as find_record
from moderation.groups.store import FORMER_GROUPS
from tests.directories import carry_over
from tests.moderation.people import joined
from tests.moderation.rig import MONDAY, ModerationRig

MINUTE = timedelta(minutes=1)
NAMES = ("李女士", "王经理")


def stamp(minutes: int) -> dict[str, Any]:
    return {"at": MONDAY + minutes * MINUTE, "event": f"e{minutes}"}


@pytest_asyncio.fixture
async def former(rig: ModerationRig) -> ModerationRig:
    """A group and three members as a release without a directory has written them."""
    database = rig.database
    able = {"send": "native", "mute": "native", "remove": "native", "delete": "native"}
    group = {"name": "理财一群", "owner": "staff-1", "purpose": "benefits", "timezone": "Europe/London", "tags": ["a"]}
    known = {**group, "capabilities": able, "policy_id": "vip", "revision": 2, "updated_at": MONDAY}
    await database["groups"].insert_one({"_id": "g1", **known})
    await database["groups"].insert_one({"_id": "g2", "dismissed_at": MONDAY, "updated_at": MONDAY})
    came = {"invited_by": "staff-1", "scene": "qr", "joined": stamp(1), "described": stamp(1)}
    customer = {"group_id": "g1", "role": "customer", "display_name": NAMES[0], **came}
    staff = {"group_id": "g1", "role": "staff", "display_name": NAMES[1], "described": stamp(2), "present": True}
    left = {"left": stamp(3), "left_reason": "removed", "present": False, "gone_since": MONDAY + 3 * MINUTE}
    await database["members"].insert_many(
        [
            {"_id": "g1/u1", "member_id": "u1", **customer, "present": True, "agreed_to": "v1", "agreed_at": MONDAY},
            {"_id": "g1/u2", "member_id": "u2", **customer, **left},
            {"_id": "g1/s1", "member_id": "s1", **staff},
        ]
    )
    return rig


async def test_a_group_is_known_before_it_has_been_carried_over_and_after(former: ModerationRig) -> None:
    for _ in range(2):
        record = await find_record(former.reader, "g1")
        assert (record.known, record.name, record.purpose, record.tags) == (True, "理财一群", "benefits", ("a",))
        assert (record.settings.owner, record.settings.timezone.key) == ("staff-1", "Europe/London")
        assert (record.settings.policy_id, record.settings.capabilities.mute) == ("vip", "native")
        assert (await find_record(former.reader, "g2")).dismissed_at == MONDAY
        await carry_over(former.transactor, former.directory, (FORMER_GROUPS, FORMER_MEMBERS))
    assert not any("timezone" in document for document in await former.documents("groups"))
    group = await find_group(former.reader, "g1")
    assert group is not None
    assert group.profile.owner == "staff-1"


async def test_members_are_carried_over_and_their_names_encrypted(former: ModerationRig) -> None:
    await former.deliver(joined("u2", at=MONDAY + 4 * MINUTE, name="李"))
    await carry_over(former.transactor, former.directory, (FORMER_GROUPS, FORMER_MEMBERS))
    members = await former.members()
    came, back, staff = (members[f"g1/{member}"] for member in ("u1", "u2", "s1"))
    assert (came.role, came.joined_at, came.is_present) == (Role.CUSTOMER, MONDAY + MINUTE, True)
    assert came.arrived is not None
    assert (came.arrived.value.invited_by, came.arrived.value.scene) == ("staff-1", "qr")
    assert (back.is_present, back.last_left_at) == (True, MONDAY + 3 * MINUTE)
    assert back.left is not None
    assert back.left.value is LeaveReason.REMOVED
    assert (staff.role, staff.joined_at) == (Role.STAFF, None)
    stored = str([await former.documents(name) for name in ("members", "directory")])
    assert not any(name in stored for name in NAMES)
    agreed = {document["member_id"]: document.get("agreed_to") for document in await former.documents("members")}
    assert agreed == {"u1": "v1", "u2": None, "s1": None}
