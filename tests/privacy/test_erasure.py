"""Somebody asks all services to show what they hold of them, and then to erase it; what is kept is said, and why."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest_asyncio

from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.privacy import (
    AccessRequested,
    ErasureRequested,
    Outcome,
)
from local.stack import Stack
from tests.privacy.house import SERVICES, open_house
from tests.privacy.story import (
    ANOTHER,
    CHANNEL,
    LATE_NAME,
    LATE_UNION,
    NAME,
    NEIGHBOURS_NAME,
    OTHER,
    REPORTED,
    SAID,
    UNION,
    WHO,
    Story,
    fetch_files,
    is_erasure,
    live_in_groups,
    tell_of_them_again,
)
from tests.servers import kafka_options_of


@pytest_asyncio.fixture(scope="module")
async def story(session_stack: Stack) -> AsyncIterator[Story]:
    """The services after somebody has been shown everything, and was erased, and others have told of them again."""
    kafka = kafka_options_of(session_stack, f"test-{uuid.uuid4().hex[:12]}.")
    async with open_house(session_stack, kafka) as house:
        story = Story(house)
        await live_in_groups(story)
        await story.ask(AccessRequested, "access-1")
        await fetch_files(story)
        await story.ask(AccessRequested, "access-2")  # whose files nobody fetches
        await story.ask(ErasureRequested, "erasure-1")
        story.answers = {each.data.service: each.data for each in await story.receipts() if is_erasure(each)}
        await tell_of_them_again(story)
        await story.look_around()
        yield story


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
    return app.state.provisions.get(Directory)


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
    answers = [each.data for each in await story.receipts() if is_erasure(each)]
    for name in SERVICES:
        assert [each for each in answers if each.service == name] == [story.answers[name]] * 2
