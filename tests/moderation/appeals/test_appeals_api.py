"""The appeal page as the member who has its link meets it, over real HTTP."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from huiqun.contracts.moderation import CaseOutcome
from moderation.appeals.model import APPEAL_LINK_PURPOSE, AppealGrant
from tests.moderation.founded_group import Service
from tests.moderation.rig import BAD, LINKS

SHANGHAI = ZoneInfo("Asia/Shanghai")
HAND_WRITTEN = "我是被误会的 <b>真的</b>，电话 13812345678"


async def test_a_member_appeals_on_the_page_behind_the_link(service: Service) -> None:
    service.rig.clock.moment += timedelta(seconds=1)
    await service.rig.know_group(name="理财一群")
    await service.rig.offend(2)
    [letter] = await service.rig.documents("actions", kind="send_private")
    path = "/api/v1/appeals/" + letter["content"].split("/api/v1/appeals/")[1].split()[0]
    page = await service.http.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    strike = (await service.rig.standing()).strikes[-1]
    assert strike.until is not None
    from_until = [f"{each.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for each in (strike.at, strike.until)]
    shown = f"群：理财一群<br>处罚：禁言，{' 至 '.join(from_until)}<br>原因：涉嫌欺诈<br>消息：“{BAD}”"
    assert f"<p>{shown}</p>" in page.text
    assert '<form method="post">' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert (await service.http.post(path, data={"reason": "  "})).status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await service.http.post(path, content=b"\xff\xfe=%00&reason=%00", headers=form)).status_code == 400
    assert (await service.http.post(path, data={"reason": "长" * 20_000})).status_code == 413
    sent = await service.http.post(path, data={"reason": HAND_WRITTEN})
    assert (sent.status_code, "申诉已提交" in sent.text) == (201, True)
    [case] = await service.rig.cases()
    assert case.history[0].note == "我是被误会的 <b>真的</b>，电话 138****5678"
    shown = (await service.get("/api/v1/actions")).json()["items"]
    assert [path in action["content"] for action in shown if action["kind"] == "send_private"] == [False]
    again = [await service.http.get(path), await service.http.post(path, data={"reason": "x"})]
    assert [(each.status_code, "请等待" in each.text) for each in again] == [(200, True), (409, True)]
    await service.rig.decide(case.id, CaseOutcome.UPHELD)
    assert "已复核" in (await service.http.get(path)).text
    await service.rig.say("举报", "u2", reply_to=case.message_id)
    [report] = await service.rig.cases(kind="report")
    await service.rig.decide(report.id, CaseOutcome.REVERSED)
    again = [await service.http.get(path), await service.http.post(path, data={"reason": "x"})]
    assert [(each.status_code, "已撤销" in each.text) for each in again] == [(200, True), (409, True)]
    expired = "/api/v1/appeals/" + LINKS.create_token(
        APPEAL_LINK_PURPOSE, AppealGrant("g1", "u1", "s1").claims, datetime.now(UTC)
    )
    assert (await service.http.get(expired)).status_code == 410
    assert (await service.http.post(expired, data={"reason": "x"})).status_code == 410
    for wrong in ("/api/v1/appeals/x", path[:-3] + "xyz", "/api/v1/appeals/" + "é" * 30):
        assert (await service.http.get(wrong)).status_code == 404
        assert (await service.http.post(wrong, data={"reason": "x"})).status_code == 404
