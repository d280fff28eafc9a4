"""What happens to somebody who is in groups, and then asks for their data and to be erased."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from huiqun.contracts.catalog import decode_event, encode_event
from huiqun.contracts.channel import (
    Departure,
    Group,
    GroupCreated,
    GroupListed,
    GroupListing,
    ListedMember,
    Member,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    Message,
    MessageReceived,
    Role,
    Sender,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.fields import MemberRef
from huiqun.contracts.privacy import (
    AccessRequested,
    Erasure,
    ErasureCompleted,
    ErasureRequested,
    PersonRequest,
)
from huiqun.contracts.topics import PRIVACY_RECEIPTS
from huiqun.privacy.names import PersonName, PlatformId
from huiqun.runtime.ids import new_id
from tests.privacy.conftest import _NATIVE
from tests.privacy.house import House

WHO, OTHER = "person-7f3a91", "neighbour-2b40"
NAME, UNION = "植名七七七号", "unionplant777"
LATE_NAME, LATE_UNION = "植名八八八号", "unionplant888"
SAID, REPORTED, NEIGHBOURS_NAME = "暗号青山", "暗号绿水", "植名五五五号"
CHANNEL, ANOTHER = "channel", "wecom/another"
OFFENCE = f"在家兼职刷单日赚三百 {SAID}"


@dataclass
class Story:
    """What was told before, what is in the files, what was answered, and the services after it all."""

    house: House
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    fetched_again: dict[str, int] = field(default_factory=dict)
    answers: dict[str, Erasure] = field(default_factory=dict)
    documents: list[tuple[str, str]] = field(default_factory=list)

    async def tell(self, *events: Event) -> None:
        for event in events:
            await self.house.send(event.topic, event.subject, [encode_event(event)])
        await self.house.settle()

    def joined(self, group: str, who: str, name: str, union: str, channel: str = CHANNEL, **ago: float) -> MemberJoined:
        return MemberJoined.create(group, _member(group, who, name, union), time=self._at(ago), source=channel)

    def updated(self, group: str, who: str, name: str, union: str, **ago: float) -> MemberUpdated:
        return MemberUpdated.create(group, _member(group, who, name, union), time=self._at(ago))

    def left(self, group: str, who: str) -> MemberLeft:
        return MemberLeft.create(group, Departure(group_id=group, member_id=who), time=self._at({}))

    def listed(self, group: str, who: str, name: str, union: str) -> GroupListed:
        each = ListedMember(member_id=who, display_name=PersonName(name), external_ids={"unionid": PlatformId(union)})
        data = GroupListing(group_id=group, members=(each,), as_of=self._at({}), complete=False)
        return GroupListed.create(group, data, time=self._at({}))

    def said(self, group: str, who: str, text: str, reply_to: str | None = None, **ago: float) -> MessageReceived:
        at = self._at(ago)
        sender = Sender(member_id=who, display_name=PersonName(NAME))
        data = Message(message_id=new_id(), group_id=group, sender=sender, text=text, reply_to=reply_to, sent_at=at)
        return MessageReceived.create(group, data, time=at)

    async def ask(self, kind: type[ErasureRequested] | type[AccessRequested], request_id: str) -> None:
        data = PersonRequest(
            request_id=request_id,
            person_id=WHO,
            members=(MemberRef(channel=CHANNEL, member_id=WHO),),
            requested_by="key/privacy-1",
            ground="本人申请",
        )
        await self.tell(kind.create(WHO, data, time=self._at({}), source="huiqun/tests"))
        await self.house.pass_time(timedelta(minutes=2))  # both the delay of an erasure and what it leads to

    async def receipts(self) -> list[Any]:
        return [decode_event(PRIVACY_RECEIPTS, record.value) for record in await self.house.records(PRIVACY_RECEIPTS)]

    async def look_around(self) -> None:
        """Read every document, but for those of the group in which the id is somebody else's."""
        async for place, document in self.house.documents():
            if ANOTHER not in (text := str(document)) and "g9" not in text:
                self.documents.append((place, text))

    def places_of(self, text: str) -> set[str]:
        """The collections in which a text stands after it all."""
        return {place for place, document in self.documents if text in document}

    def _at(self, ago: Mapping[str, float]) -> Any:
        return self.house.clock.now() - timedelta(**ago)


def _member(group: str, who: str, name: str, union: str) -> Member:
    ids = {"unionid": PlatformId(union)}
    return Member(
        group_id=group, member_id=who, role=Role.CUSTOMER, display_name=PersonName(name), external_ids=ids, scene="qr"
    )


def is_erasure(event: Event) -> bool:
    return isinstance(event, ErasureCompleted)


async def live_in_groups(story: Story) -> None:
    """Somebody is in one group, has left another, offends, reports, appeals; another channel has a namesake."""
    now = story.house.clock.now()
    groups = [
        GroupCreated.create(
            group, Group(group_id=group, name="理财群", owner="staff-1", capabilities=_NATIVE), time=now, source=channel
        )
        for group, channel in (("g1", CHANNEL), ("g2", CHANNEL), ("g9", ANOTHER))
    ]
    await story.tell(
        *groups,
        story.joined("g1", WHO, NAME, UNION, days=1),
        story.joined("g2", WHO, NAME, UNION, days=1),
        story.joined("g1", OTHER, NEIGHBOURS_NAME, "unionplant555", days=1),
        story.joined("g9", WHO, "植名九九九号", "unionplant999", channel=ANOTHER, days=1),
    )
    others = story.said("g1", OTHER, "今天天气真不错，大家出去走走")
    await story.tell(
        story.said("g2", WHO, "请问网点几点开门"),
        story.left("g2", WHO),
        others,
        story.said("g1", WHO, f"请问网点几点开门 {SAID}"),
    )
    for _ in range(2):
        await story.tell(story.said("g1", WHO, OFFENCE))
        story.house.clock.moment += timedelta(minutes=5)
    await story.tell(
        story.said("g1", WHO, f"举报 {REPORTED}", reply_to=others.data.message_id),
        story.said("g1", WHO, f"申诉 {SAID}"),
    )
    cases = story.house.moderation.connected.database["cases"]
    case = await cases.find_one({"member_id": WHO, "kind": "review"}) or await cases.find_one({"member_id": WHO})
    assert case is not None
    await _upheld(story, case["_id"])
    await story.house.pass_time(timedelta(minutes=2))


async def _upheld(story: Story, case_id: str) -> None:
    """A moderator decides, which leaves an example."""
    http = story.house.moderation.http
    version = (await http.get(f"/api/v1/cases/{case_id}")).headers["ETag"]
    headers = {"Idempotency-Key": f"uphold-{case_id}", "If-Match": version}
    answer = await http.post(f"/api/v1/cases/{case_id}/uphold", json={"note": "核实"}, headers=headers)
    assert answer.status_code < 300, answer.text


async def fetch_files(story: Story) -> None:
    for name, service in story.house.services.items():
        (request,) = (await service.http.get("/api/v1/person-requests?kind=access")).json()["items"]
        path = f"/api/v1/person-requests/files/{request['file']['reference']}"
        answer = await service.http.get(path)
        assert answer.status_code == 200, answer.text
        story.files[name] = [json.loads(line) for line in answer.text.splitlines()]
        story.fetched_again[name] = (await service.http.get(path)).status_code


async def tell_of_them_again(story: Story) -> None:
    """What others tell of them: late, again, and by synchronisation."""
    await story.tell(
        story.updated("g1", WHO, LATE_NAME, LATE_UNION, hours=2),
        story.updated("g1", WHO, LATE_NAME, LATE_UNION),
        story.listed("g1", WHO, LATE_NAME, LATE_UNION),
        story.joined("g2", WHO, LATE_NAME, LATE_UNION, hours=3),
        story.updated("g3", WHO, LATE_NAME, LATE_UNION),
        story.listed("g2", WHO, LATE_NAME, LATE_UNION),
        story.said("g1", WHO, "大家好", hours=2),
        story.said("g1", WHO, "大家晚上好"),
    )
    await story.house.pass_time(timedelta(minutes=2))
