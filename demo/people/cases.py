"""The queue of cases is worked through."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import orjson

from demo.people.api_user import Answer
from demo.people.morning import Morning, OutcomeMissingError
from demo.story.model import Says
from huiqun.contracts.channel import ActionKind
from huiqun.contracts.moderation import SanctionKind


async def uphold_rumour(morning: Morning) -> AsyncIterator[str]:
    """One person at a time holds a case; upheld, the message is deleted and its sender warned."""
    case = await morning.find_case(kind="review", group_id="licai", category="rumour")
    await morning.fang.post(f"/cases/{case['id']}/claim")
    if await morning.mei.refused("POST", f"/cases/{case['id']}/claim") != HTTPStatus.CONFLICT:
        yield "two people held the same case"
    morning.wait_for_sanction(case, SanctionKind.WARNING)
    yield await _decide(morning, case, "uphold", note="与官方公告不符")
    deleted = await morning.wait_for_action(ActionKind.DELETE_MESSAGE, group_id="licai", message_id=case["message_id"])
    if deleted["state"] != "completed":
        yield f"the rumour's deletion: {deleted['state']}"
    morning.log_deed(morning.fang, "upholds the rumour of 范伟", "deleted by the channel, a warning")


async def reclassify_report(morning: Morning) -> AsyncIterator[str]:
    """What a member reported by a reply turns out to be abuse."""
    case = await morning.find_case(kind="report", group_id="licai")
    morning.wait_for_sanction(case, SanctionKind.MUTE)
    yield await _decide(morning, case, "reclassify", category="abuse", note="辱骂工作人员")
    if case["history"][0]["by"] != "deng":
        yield f"reported by {case['history'][0]['by']}"
    muted = await morning.wait_for_action(ActionKind.MUTE_MEMBER, group_id="licai", message_id=case["message_id"])
    morning.log_deed(
        morning.fang, "calls what 邓丽娟 reported abuse", f"a mute of {muted['duration_seconds'] // 60} min"
    )


async def reverse_on_appeal(morning: Morning) -> AsyncIterator[str]:
    """A member appeals by the signed link in the notice; strike, sanction and mute are taken back together."""
    path = "/groups/licai/members/tang/standing"
    before = await morning.mei.read(path)
    await _appeal_by_link(morning, "tang", "行情好太激动了，不是故意刷屏")
    morning.log_deed("唐乐", "appeals by the link in the notice", "a case")
    case = await morning.find_case(kind="appeal", group_id="licai", category="flood")
    yield await _decide(morning, case, "reverse", note="初犯，已道歉")
    after = await morning.mei.read(path)
    gone = {strike["message_id"] for strike in before["strikes"]} - {
        strike["message_id"] for strike in after["strikes"]
    }
    if gone != {case["message_id"]}:
        yield f"taken back: {gone or 'nothing'}"
    if not after["score"] < before["score"] or after["rung"] != before["rung"] - 1 or after["muted_until"]:
        yield f"score {before['score']} → {after['score']}, rung {before['rung']} → {after['rung']}"
    voice = await morning.wait_for_action(ActionKind.UNMUTE_MEMBER, group_id="licai", member_id="tang")
    if voice["state"] != "completed" or ("licai", "tang") in morning.transcript.muted:
        yield "the channel still mutes the member"
    morning.log_deed(morning.mei, "reverses it", "strike, sanction and mute are taken back")


async def uphold_on_appeal(morning: Morning) -> AsyncIterator[str]:
    """A member appealed by a reply; what was decided is told them in private."""
    case = await morning.find_case(kind="appeal", group_id="licai", category="solicitation")
    yield await _decide(morning, case, "uphold", note="广告内容属实")
    for words in ("已收到", "维持"):
        await morning.wait_for_action(ActionKind.SEND_PRIVATE, words, group_id="licai", member_id="wei")
    morning.log_deed(morning.mei, "upholds what 魏来 appealed against", "told in private")


async def approve_removal(morning: Morning) -> AsyncIterator[str]:
    """Nobody is removed unless a person has approved it; where the channel cannot, a colleague is asked to."""
    case = await morning.find_case(kind="removal", group_id="huimin")
    if ("huimin", "qian") in morning.transcript.removed:
        yield "removed before anybody approved it"
    yield await _decide(morning, case, "uphold")
    action = await morning.wait_for_action(ActionKind.REMOVE_MEMBER, group_id="huimin", member_id="qian")
    if action["state"] != "completed" or action["assignee"] != "lin":
        yield f"the removal: {action['state']}, by {action['assignee']}"
    morning.log_deed(morning.fang, "approves the removal of 钱多多", "asked of 林静, and done")


async def uphold_promise(morning: Morning) -> AsyncIterator[str]:
    """Staff are told how to put it, and have no standing to lose."""
    case = await morning.find_case(kind="review", group_id="licai", category="promise")
    yield await _decide(morning, case, "uphold", note="不得承诺保本")
    told = await morning.wait_for_action(ActionKind.NOTIFY_STAFF, group_id="licai", message_id=case["message_id"])
    if told["assignee"] != "gu" or told["state"] != "completed":
        yield f"told {told['assignee']}: {told['state']}"
    morning.log_deed(morning.fang, "upholds the promise of 顾明", "told to correct it")


async def dismiss_report(morning: Morning) -> AsyncIterator[str]:
    """A colleague reports a message at their desk; where nothing was wrong, nothing follows."""
    standing = await morning.mei.read("/groups/licai/members/cao/standing")
    (said, *_) = (await morning.duty.read("/messages", group_id="licai", member_id="cao", limit=1))["items"]
    case = await morning.duty.post("/reports", {"message_id": said["message_id"], "note": "疑似荐股"})
    morning.log_deed(morning.duty, "reports a message of 曹阳", f"a case of severity {case['severity']}")
    yield await _decide(morning, case, "reverse", note="正常提问")
    if (await morning.mei.read("/groups/licai/members/cao/standing")) != standing:
        yield "the member's standing has changed"
    morning.log_deed(morning.fang, "finds nothing wrong with it", "nothing follows")


async def limit_reports(morning: Morning) -> AsyncIterator[str]:
    """Who reports more often in a day than their group wants is passed over."""
    await morning.post_message("fuli", Says("", "pan", "今天的题也太难了", label="hard"))
    await morning.post_message("fuli", Says("", "ning", "我觉得还行", label="easy"))
    for label in ("hard", "easy"):
        await morning.post_message("fuli", Says("", "du", "举报", reply_to=label))
    reported = (await morning.mei.read("/cases", kind="report", group_id="fuli"))["items"]
    if [case["member_id"] for case in reported] != ["pan"]:
        yield f"cases about {[case['member_id'] for case in reported]}"
    morning.log_deed("杜若", "reports two messages", "one case: here a member may report one a day")


async def mediate(morning: Morning) -> AsyncIterator[str]:
    """A simple conflict is settled with a word in the group, others in private or in a group of their own."""
    mei = morning.mei
    case = await morning.find_case(kind="review", group_id="huimin", category="abuse")
    for where, others in {"group": [], "private": [], "separate_group": ["zhao"]}.items():
        await mei.post(f"/cases/{case['id']}/mediation", {"where": where, "others": others})
    said = await morning.wait_for_action(ActionKind.SEND_MESSAGE, "文明交流", group_id="huimin", member_id="ma")
    told = await morning.wait_for_action(ActionKind.SEND_PRIVATE, "私下", group_id="huimin", member_id="ma")
    morning.log_deed(mei, "settles a quarrel in the group", f"a word to 马强: {said['state']}")
    task = await morning.wait_for_action(ActionKind.NOTIFY_STAFF, "请私下与成员 {member:ma}", group_id="huimin")
    morning.log_deed(
        mei,
        "has somebody talk to him in private",
        f"{morning.short_name_of(task['assignee'])} is asked to; he is told: {told['state']}",
    )
    invite = "另建沟通群，邀请成员 {member:ma}、{member:zhao}"
    task = await morning.wait_for_action(ActionKind.NOTIFY_STAFF, invite, group_id="huimin")
    morning.log_deed(
        mei, "gives them a group of their own", f"{morning.short_name_of(task['assignee'])} is asked to open it"
    )
    after = await mei.read(f"/cases/{case['id']}")
    if after["state"] != "open" or [entry["what"] for entry in after["history"]][-1] != "mediated_separate_group":
        yield f"the case is {after['state']}, after {after['history'][-1]['what']}"


async def read_standing(morning: Morning) -> AsyncIterator[str]:
    """Offences weigh by their kind, and fade."""
    path = "/groups/licai/members/{}/standing"
    weights = {
        strike["category"]: strike["weight"]
        for member in ("hu", "tang")
        for strike in (await morning.mei.read(path.format(member)))["strikes"]
    }
    if not weights["abuse"] > weights["flood"]:
        yield f"abuse weighs {weights['abuse']}, flooding {weights['flood']}"

    async def faded() -> Answer | None:
        found: Answer = await morning.mei.read(path.format("jin"))
        return found if found["score"] < sum(strike["weight"] for strike in found["strikes"]) else None

    standing = await morning.wait_for(faded, "offences to fade")
    points = sum(strike["weight"] for strike in standing["strikes"])
    came = f"{len(standing['strikes'])} offences, {points:g} points, now {standing['score']:g}, fading"
    morning.log_deed(morning.mei, "reads where 金老师 stands", came)


async def export_examples(morning: Morning) -> AsyncIterator[str]:
    """Each decision is an example for whoever tunes rules or trains a model."""
    lines = (await morning.fang.fetch("/examples")).splitlines()
    labels = sorted({orjson.loads(line)["label"] for line in lines})
    for label in ("abuse", "clean", "promise", "rumour"):
        if label not in labels:
            yield f"no example of {label}"
    morning.log_deed(morning.fang, "exports the decisions", f"{len(lines)} labelled examples")


async def _decide(morning: Morning, case: Answer, outcome: str, **judgement: str) -> str:
    """Decide a case; says what is wrong with the answer, or nothing."""
    who = morning.mei if case["kind"] == "appeal" else morning.fang
    decided = await who.decide(case, outcome, **judgement)
    morning.closed[case["id"]] = decided["state"]
    return "" if decided["decision"]["by"]["name"] == who.name else f"decided by {decided['decision']['by']}"


async def _appeal_by_link(morning: Morning, member_id: str, reason: str) -> None:
    link = await morning.link_sent_to(member_id)
    async with httpx.AsyncClient() as browser:
        page = await browser.post(link, data={"reason": reason})
    if page.status_code != HTTPStatus.CREATED:
        raise OutcomeMissingError(f"the page to appeal on answered {page.status_code}")
