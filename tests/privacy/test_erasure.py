"""Somebody asks all services to show what they hold of them, and then to erase it; what is kept is said, and why."""

import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest_asyncio

from huiqun.contracts.catalog import decode, encode
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
    Outcome,
    PersonRequest,
)
from huiqun.contracts.topics import PRIVACY_RECEIPTS
from huiqun.privacy.names import PersonName, PlatformId
from huiqun.runtime.ids import new_id
from local.stack import Stack
from tests.privacy.conftest import _NATIVE
from tests.privacy.house import SERVICES, House, open_house
from tests.spine import kafka_options_of

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
            await self.house.send(event.topic, event.subject, [encode(event)])
        await self.house.settle()

    def joined(self, group: str, who: str, name: str, union: str, channel: str = CHANNEL, **ago: float) -> MemberJoined:
        return MemberJoined.about(group, _member(group, who, name, union), time=self._at(ago), source=channel)

    def updated(self, group: str, who: str, name: str, union: str, **ago: float) -> MemberUpdated:
        return MemberUpdated.about(group, _member(group, who, name, union), time=self._at(ago))

    def left(self, group: str, who: str) -> MemberLeft:
        return MemberLeft.about(group, Departure(group_id=group, member_id=who), time=self._at({}))

    def listed(self, group: str, who: str, name: str, union: str) -> GroupListed:
        each = ListedMember(member_id=who, display_name=PersonName(name), external_ids={"unionid": PlatformId(union)})
        data = GroupListing(group_id=group, members=(each,), as_of=self._at({}), complete=False)
        return GroupListed.about(group, data, time=self._at({}))

    def said(self, group: str, who: str, text: str, reply_to: str | None = None, **ago: float) -> MessageReceived:
        at = self._at(ago)
        sender = Sender(member_id=who, display_name=PersonName(NAME))
        data = Message(message_id=new_id(), group_id=group, sender=sender, text=text, reply_to=reply_to, sent_at=at)
        return MessageReceived.about(group, data, time=at)

    async def ask(self, kind: type[ErasureRequested] | type[AccessRequested], request_id: str) -> None:
        data = PersonRequest(
            request_id=request_id,
            person_id=WHO,
            members=(MemberRef(channel=CHANNEL, member_id=WHO),),
            requested_by="key/privacy-1",
            ground="本人申请",
        )
        await self.tell(kind.about(WHO, data, time=self._at({}), source="huiqun/tests"))
        await self.house.pass_time(timedelta(minutes=2))  # both the delay of an erasure and what it leads to

    async def receipts(self) -> list[Any]:
        return [decode(PRIVACY_RECEIPTS, record.value) for record in await self.house.records(PRIVACY_RECEIPTS)]

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


@pytest_asyncio.fixture(scope="module")
async def story(session_stack: Stack) -> AsyncIterator[Story]:
    """The services after somebody has been shown everything, and was erased, and others have told of them again."""
    kafka = kafka_options_of(session_stack, f"test-{uuid.uuid4().hex[:12]}.")
    async with open_house(session_stack, kafka) as house:
        story = Story(house)
        await _live_in_groups(story)
        await story.ask(AccessRequested, "access-1")
        await _fetch_files(story)
        await story.ask(AccessRequested, "access-2")  # whose files nobody fetches
        await story.ask(ErasureRequested, "erasure-1")
        story.answers = {each.data.service: each.data for each in await story.receipts() if _is_erasure(each)}
        await _tell_of_them_again(story)
        await story.look_around()
        yield story


def _is_erasure(event: Event) -> bool:
    return isinstance(event, ErasureCompleted)


async def _live_in_groups(story: Story) -> None:
    """Somebody is in one group, has left another, offends, reports, appeals; another channel has a namesake."""
    now = story.house.clock.now()
    groups = [
        GroupCreated.about(
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
        story.house.clock.ahead += timedelta(minutes=5)
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


async def _fetch_files(story: Story) -> None:
    for name, service in story.house.services.items():
        (request,) = (await service.http.get("/api/v1/person-requests?kind=access")).json()["items"]
        path = f"/api/v1/person-requests/files/{request['file']['reference']}"
        answer = await service.http.get(path)
        assert answer.status_code == 200, answer.text
        story.files[name] = [json.loads(line) for line in answer.text.splitlines()]
        story.fetched_again[name] = (await service.http.get(path)).status_code


async def _tell_of_them_again(story: Story) -> None:
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


def data_of(file: Sequence[dict[str, Any]], part: str) -> list[dict[str, Any]]:
    return [line["data"] for line in file[1:] if part in line["what"]]


async def test_a_person_is_shown_all_that_services_hold_of_them(story: Story) -> None:
    for name in SERVICES:
        roster = data_of(story.files[name], "名册")
        assert {each["group_id"] for each in roster} == {"g1", "g2"}
        assert {each["display_name"] for each in roster} == {NAME}
        assert all(each["external_ids"] == {"unionid": UNION} for each in roster)
    moderation = story.files["moderation"]
    messages = data_of(moderation, "群聊消息存档")
    assert len([each for each in messages if SAID in each["text"]]) == 4
    (cases, reports) = data_of(moderation, "案件"), data_of(moderation, "本人的举报")
    assert cases
    assert any(REPORTED in report["note"] for each in reports for report in each["reports"])
    assert data_of(moderation, "违规记录")[0]["strikes"]
    assert data_of(moderation, "处置措施")
    assert data_of(moderation, "样本")
    assert data_of(story.files["engagement"], "活跃度")[0]["verdicts"]
    assert data_of(story.files["survey"], "调查资格")
    assert data_of(story.files["crm-sync"], "客户档案")[0]["claims"][0]["value"] == UNION


async def test_a_person_is_shown_nothing_of_others(story: Story) -> None:
    for file in story.files.values():
        text = json.dumps(file, ensure_ascii=False)
        assert [each for each in (OTHER, NEIGHBOURS_NAME, "植名九九九号", "天气真不错", "g9") if each in text] == []


async def test_a_file_can_be_fetched_once_and_is_audited(story: Story) -> None:
    assert set(story.fetched_again.values()) == {410}
    for service in story.house.services.values():
        log = service.connected.database["audit_log"]
        actions = [
            entry["action"] async for entry in log.find({"subject": "person-request/access/access-1"}).sort("_id", 1)
        ]
        assert actions == ["access.requested", "access.completed", "access.downloaded"]


async def test_every_service_says_what_it_erased_and_what_it_keeps_why(story: Story) -> None:
    assert story.answers.keys() == set(SERVICES)
    for answer in story.answers.values():
        assert (answer.request_id, answer.person_id) == ("erasure-1", WHO)
        outcomes = {result.what: result.outcome for result in answer.results}
        assert outcomes["群成员名册：名称与外部平台编号"] is Outcome.ERASED
        assert all(each.ground for each in answer.results if each.outcome is Outcome.KEPT)
        copies = [each for each in answer.results if "消息队列" in each.what]
        assert all(each.until is not None for each in copies)
    archive = [each for each in story.answers["moderation"].results if each.what.startswith("群聊消息存档")]
    assert [(each.outcome, each.until is not None) for each in archive] == [(Outcome.KEPT, True)]


async def test_names_and_ids_of_other_platforms_are_nowhere_any_more(story: Story) -> None:
    for name, service in story.house.services.items():
        for secret in (NAME, UNION, LATE_NAME, LATE_UNION):
            assert story.places_of(secret) == set(), name
        directory = service.connected.database["directory"]
        (kept,) = await directory.find({"member_id": WHO, "channel": {"$ne": ANOTHER}, "group_id": "g1"}).to_list(None)
        assert ("name" in kept, kept["ids"]) == (False, [])
        assert kept["arrived"]["scene"] is None
    for service in story.house.services.values():
        parts = service.connected.database["access_file_parts"].find({"request": "access/access-2"})
        assert await parts.to_list(None) == []


async def test_the_id_stands_only_where_the_answer_says_that_something_is_kept(story: Story) -> None:
    places = story.places_of(WHO)
    for name, module in SERVICES.items():
        requests = module.person_requests(_directory_of(story, name))
        kept = {each.what for each in story.answers[name].results if each.outcome is Outcome.KEPT}
        kept.add("群成员名册：名称与外部平台编号")  # whose result has another name for what stays
        allowed = {f"{name}.{each}" for held in requests.holdings if held.what in kept for each in held.collections}
        assert {each for each in places if each.startswith(f"{name}.")} - allowed == set()


def _directory_of(story: Story, name: str) -> Any:
    app: Any = story.house.services[name].app
    return app.state.directory


async def test_what_profiles_a_person_does_not_come_back_by_what_others_tell(story: Story) -> None:
    services = story.house.services
    for name, collection in (("engagement", "activity"), ("survey", "eligibility")):
        found = services[name].connected.database[collection].find({"member_id": WHO})
        assert [each["group_id"] async for each in found] == ["g9"]
    members = services["crm-sync"].connected.database["members"]
    assert [each["source"] async for each in members.find({"member_id": WHO})] == [ANOTHER]


async def test_a_namesake_of_another_channel_is_left_alone(story: Story) -> None:
    for service in story.house.services.values():
        kept = await service.connected.database["directory"].find_one({"_id": f"g9/{WHO}"})
        assert kept is not None
        assert len(kept["ids"]) == 1
        assert "name" in kept


async def test_texts_stay_only_where_they_are_evidence(story: Story) -> None:
    assert story.places_of(SAID) == {"moderation.messages", "moderation.cases"}
    assert story.places_of(REPORTED) == {"moderation.messages"}


async def test_who_comes_anew_begins_anew(story: Story) -> None:
    await story.tell(story.joined("g4", WHO, NAME, UNION), story.said("g4", WHO, "大家早上好"))
    services = story.house.services
    activity = await services["engagement"].connected.database["activity"].find_one({"_id": f"g4/{WHO}"})
    assert activity is not None
    assert sum(activity["verdicts"].values()) == 1
    customer = await services["crm-sync"].connected.database["members"].find_one({"member_id": WHO, "source": CHANNEL})
    assert customer is not None
    assert {claim["value"] for claim in customer["claims"]} == {UNION}


async def test_the_same_request_again_is_answered_the_same(story: Story) -> None:
    await story.ask(ErasureRequested, "erasure-1")
    answers = [each.data for each in await story.receipts() if _is_erasure(each)]
    for name in SERVICES:
        assert [each for each in answers if each.service == name] == [story.answers[name]] * 2
