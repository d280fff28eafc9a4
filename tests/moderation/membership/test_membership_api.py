"""Members, consents, staff and reports over HTTP, and the page on which members agree."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio

from huiqun.contracts.channel import ActionKind, Group, GroupUpdated, Role
from huiqun.contracts.moderation import ConsentGiven
from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.links import SignedLinks
from moderation.membership.model.links import CONSENT, Holder
from tests.moderation.membership.people import created, joined, left
from tests.moderation.rig import LINKS, SETTINGS, ModerationRig

RULES = "1. 文明交流。\n2. <b>不发广告</b>。"
CSV = "staff_id,name,departed_on\nstaff-1,王经理,\nstaff-2,李经理,2026-11-01\n"


class Office:
    """Somebody who works with the interface, and whoever opens a link."""

    def __init__(self, rig: ModerationRig, http: httpx.AsyncClient, moderator: httpx.AsyncClient) -> None:
        self.rig = rig
        self.http = http
        self._moderator = moderator

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._moderator.request(method, f"/api/v1{path}", **options)


@pytest_asyncio.fixture
async def office(rig: ModerationRig) -> Office:
    rig.clock.moment = datetime.now(UTC).replace(microsecond=0)  # links are read by the clock on the wall
    return Office(rig, await rig.http(), await rig.http("moderator"))


async def invited(office: Office) -> str:
    """The link of a newcomer, without where members reach the interface."""
    rig = office.rig
    await rig.write_policy(rules_text=RULES, consent={"by_link": True, "link_hours": 1})
    await rig.deliver(created(), joined("u1", name="李女士", at=rig.clock.moment))
    await rig.run_due(timedelta(minutes=1))
    (letter,) = rig.said(ActionKind.SEND_PRIVATE)
    found = re.search(r"https://\S+", letter)
    assert found is not None
    return found[0].removeprefix(str(SETTINGS.public_url))


def form_of(page: httpx.Response) -> str:
    """Where the button of the page leads."""
    found = re.search(r'action="([^"]+)"', page.text)
    assert found is not None, page.text
    return str(page.request.url.copy_with(query=None)) + found[1].replace("&amp;", "&")


async def test_a_newcomer_agrees_on_the_page_of_the_link(office: Office) -> None:
    link = await invited(office)
    page = await office.http.get(link)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "理财一群群规" in page.text
    assert "&lt;b&gt;不发广告" in page.text
    assert await office.rig.documents("consents") == []
    done = [await office.http.post(form_of(page)) for _ in range(2)]
    assert [(each.status_code, "您已确认群规" in each.text) for each in done] == [(200, True), (200, True)]
    (consent,) = await office.rig.documents("consents")
    assert (consent["member_id"], consent["given_by"]) == ("u1", "link")
    assert len(office.rig.emitted(ConsentGiven)) == 1
    listed = (await office.ask("GET", "/groups/g1/consents")).json()["items"]
    assert [(each["member_id"], each["given_by"]) for each in listed] == [("u1", "link")]


async def test_the_page_is_called_after_its_group_and_says_nothing_else_of_the_name(office: Office) -> None:
    link = await invited(office)
    for name, title in {
        "理财<b>一群</b>\u202e【官方】": "理财 b 一群 b 官方群规",
        "加微信abc12345": "本群群规",
    }.items():
        group = Group(group_id="g1", name=name, owner="staff-1")
        await office.rig.deliver(GroupUpdated.create("g1", group, time=office.rig.clock.moment))
        assert f"<h1>{title}</h1>" in (await office.http.get(link)).text
        await office.rig.run_due(timedelta(seconds=1))


async def test_the_words_that_a_member_agreed_to_can_be_read_after_the_rules_have_changed(office: Office) -> None:
    link = await invited(office)
    await office.http.post(form_of(await office.http.get(link)))
    await office.rig.write_policy(rules_text="3. 其他。", consent={})
    await office.rig.say_all("我已阅读并同意", member="u2")
    for consent in (await office.ask("GET", "/groups/g1/consents")).json()["items"]:
        agreed = (await office.ask("GET", f"/groups/g1/rules/{consent['rules_version']}")).json()
        assert agreed["text"] == {"u1": RULES, "u2": "3. 其他。"}[consent["member_id"]]
    assert (await office.ask("GET", "/groups/g1/rules/000000000000")).status_code == 404


async def test_rules_that_changed_while_they_were_read_are_shown_again(office: Office) -> None:
    link = await invited(office)
    page = await office.http.get(link)
    await office.rig.write_policy(rules_text="3. 其他。", consent={"by_link": True})
    again = await office.http.post(form_of(page))
    assert (again.status_code, "3. 其他。" in again.text) == (409, True)
    assert "群规刚刚有更新" in again.text
    assert await office.rig.documents("consents") == []
    assert "您已确认群规" in (await office.http.post(form_of(again))).text


async def test_forged_and_expired_links_and_those_of_who_left_agree_to_nothing(office: Office) -> None:
    link = await invited(office)
    page = await office.http.get(link)
    later = datetime.now(UTC) + timedelta(hours=1)
    claims = Holder("g1", "u1").claims
    forged = SignedLinks(RotatingKey(b"another secret"), None).create_token(CONSENT, claims, later)
    expired = LINKS.create_token(CONSENT, claims, datetime.now(UTC) - timedelta(seconds=1))
    assert (await office.http.get(f"/consent?token={forged}")).status_code == 404
    assert (await office.http.post(f"/consent?token={link[-10:]}&version=1")).status_code == 404
    assert (await office.http.get(f"/consent?token={expired}")).status_code == 410
    for broken_off in (await office.http.get("/consent"), await office.http.post("/consent?token=x")):
        assert (broken_off.status_code, "请使用收到的完整链接" in broken_off.text) == (404, True)
    await office.rig.deliver(left("u1", at=office.rig.clock.moment))
    gone = [await office.http.get(link), await office.http.post(form_of(page))]
    assert [(each.status_code, "不在该群" in each.text) for each in gone] == [(200, True), (409, True)]
    assert await office.rig.documents("consents") == []


async def test_members_are_listed_page_by_page(office: Office) -> None:
    now = office.rig.clock.moment
    await office.rig.deliver(*(joined(f"u{number}", at=now) for number in range(5)), left("u3", at=now))
    first = (await office.ask("GET", "/groups/g1/members?limit=3&present=true")).json()
    second = (await office.ask("GET", f"/groups/g1/members?limit=3&present=true&cursor={first['next_cursor']}")).json()
    assert [member["member_id"] for member in first["items"] + second["items"]] == ["u0", "u1", "u2", "u4"]
    gone = (await office.ask("GET", "/groups/g1/members/u3")).json()
    assert (gone["present"], gone["left_reason"], gone["consented"]) == (False, "left", True)
    assert (await office.ask("GET", "/groups/g1/members/nobody")).status_code == 404


async def test_the_rules_of_a_group_stand_in_a_fixed_place(office: Office) -> None:
    await office.rig.deliver(created())
    await office.rig.run_due()
    assert (await office.ask("GET", "/groups/g1/rules")).json()["version"] is None
    await office.rig.write_policy(rules_text=RULES, posting={})
    rules = (await office.ask("GET", "/groups/g1/rules")).json()
    assert (rules["text"], rules["policy_version"]) == (RULES, "default@1")
    assert rules["posted_at"] is not None


async def test_a_list_of_staff_is_taken_as_a_whole_and_a_check_can_be_asked_for(office: Office) -> None:
    csv = {"content": CSV.encode("gbk"), "headers": {"Content-Type": "text/csv; charset=gbk", "If-Match": '"0"'}}
    uploaded = await office.ask("PUT", "/staff", **csv)
    assert (uploaded.status_code, uploaded.json()["size"], uploaded.headers["etag"]) == (200, 2, '"1"')
    assert (await office.ask("PUT", "/staff", **csv)).status_code == 412
    unfit = {"json": [{"staff_id": "s"}], "headers": {"If-Match": "*"}}
    refused = await office.ask("PUT", "/staff", **unfit)
    assert (refused.status_code, refused.json()["errors"][0]["line"]) == (422, 1)
    plain = await office.ask("PUT", "/staff", content=b"x", headers={"Content-Type": "text/plain", "If-Match": "*"})
    assert plain.status_code == 415
    people = (await office.ask("GET", "/staff/people")).json()["items"]
    assert [(person["staff_id"], person["name"]) for person in people] == [("staff-1", "王经理"), ("staff-2", "李经理")]

    now = office.rig.clock.moment
    await office.rig.deliver(created(), joined("staff-9", name="小张", role=Role.STAFF, at=now))
    made = await office.ask("POST", "/groups/g1/roster-reports")
    assert (made.status_code, [each["kind"] for each in made.json()["findings"]]) == (201, ["unknown_staff"])
    assert (await office.ask("GET", "/groups/g1/roster-reports")).json()["items"] == [made.json()]
    audited = [entry["action"] for entry in await office.rig.documents("audit_log")]
    assert audited == ["staff.list.replaced", "names.read", "roster.checked"]
