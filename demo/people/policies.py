"""The rules of a group are changed while everything runs: with four eyes, on trial, with exceptions, and back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from demo.people.api_user import ANY, Answer, ApiUser
from demo.people.morning import Morning
from demo.story.model import WARNING, Says, blocked
from demo.story.morning import LINK, LONG_TEXT, RULES, RULES_TEXT
from huiqun.contracts.channel import ActionKind, MessageKind

_POLICY: Final = "/policies/benefits"
_TEXT: Final = "大家好"
_GROUP: Final = "fuli"
_DRAFT: Final = "benefits@2"
# Long enough to be in force before it ends, also on a machine that does other things as well.
_EXCEPTED_SECONDS: Final = 15.0


async def write_policy(morning: Morning) -> AsyncIterator[str]:
    """One person writes a version, compares it with the one in force, and may not activate it."""
    mei = morning.mei
    version = (await mei.post(f"{_POLICY}/versions", {"rules": RULES, "note": "会员日之后：小程序一律不发"}))["version"]
    yield await _refused(mei, {"version": version}, HTTPStatus.FORBIDDEN)
    differences = (await mei.read(f"{_POLICY}/versions/{version}/diff"))["differences"]
    if {"path": "quota/per_day", "old": 5, "new": 4} not in differences:
        yield "the comparison does not name the quota"
    morning.log_deed(mei, f"writes policy {_DRAFT}", f"{len(differences)} values differ; not hers to activate")


async def try_version(morning: Morning) -> AsyncIterator[str]:
    """Before it is in force, it is tried over the messages of the day before: what would be hit, what no more."""
    path = f"{_POLICY}/versions/2/backtests"
    asked = await morning.fang.post(path, morning.day.query)

    async def done() -> Answer | None:
        found: Answer = await morning.fang.read(f"{path}/{asked['id']}")
        return found if found["state"] == "done" else None

    report = (await morning.wait_for(done, "the backtest to be done"))["report"]
    rules = {rule["rule"]: rule for rule in report["rules"]}
    added, lost = rules["quota"]["added"], rules["duplicate"]["lost"]
    if not added or not lost or not rules["quota"]["added_samples"]:
        yield f"{added} hits added, {lost} lost"
    morning.log_deed(
        morning.fang, "tries it over yesterday's messages", f"{added} hits added, {lost} lost, with samples"
    )


async def activate_policy(morning: Morning) -> AsyncIterator[str]:
    """Another person puts it in force; it judges from then on, is posted, and stands where it can be found."""
    fang = morning.fang
    activated = await fang.post(f"{_POLICY}/activation", {"version": 2}, ANY)
    if not activated["backtest"]:
        yield "the activation does not say how the backtest ended"
    seconds = await morning.seconds_until(_GROUP, _TEXT, policy=_DRAFT)
    posted = await morning.wait_for_action(ActionKind.SEND_MESSAGE, RULES_TEXT, group_id=_GROUP, reason="rules")
    placed = await fang.read(f"/groups/{_GROUP}/rules")
    if placed["text"] != RULES_TEXT or not placed["version"] or posted["state"] != "completed":
        yield f"the rules stand there as {placed['text']!r}"
    morning.log_deed(fang, "activates it", f"in force after {seconds:.1f} s, posted in the group")
    mini_program = Says("", "lu", "砍一刀小程序", blocked("kinds", "kind", WARNING), kind=MessageKind.MINI_PROGRAM)
    judged = await morning.post_message(_GROUP, mini_program)
    if judged["policy"] != _DRAFT:
        yield f"a mini program was judged by {judged['policy']}"
    await morning.wait_for_action(ActionKind.SEND_MESSAGE, "会员群内请勿发送", group_id=_GROUP, member_id="lu")
    morning.log_deed("陆陆顺", "sends a mini program", f"{judged['verdict']}, and a warning in the policy's own words")


async def explain_policy(morning: Morning) -> AsyncIterator[str]:
    """Each value of a group's rules says where it comes from."""
    found = await morning.mei.read("/groups/fuli/policy")
    sources = {origin["path"]: origin["source"] for origin in found["origins"]}
    for path, source in {"quota/per_day": "benefits@2", "flood/messages": "built_in"}.items():
        if sources.get(path) != source:
            yield f"{path} comes from {sources.get(path)}"
    morning.log_deed(
        morning.mei, "asks where rules come from", f"{len(sources)} values of {' + '.join(found['layers'])}"
    )


async def try_rule(morning: Morning) -> AsyncIterator[str]:
    """A rule on trial records what it finds, and nothing follows."""
    judged = await morning.post_message("fuli", Says("", "meng", LONG_TEXT))
    shadows = [reason["rule"] for reason in judged["reasons"] if reason.get("shadow")]
    if judged["verdict"] != "allow" or shadows != ["length"]:
        yield f"{judged['verdict']}, on trial {shadows}"
    morning.log_deed("孟想", "breaks a rule that is on trial", "recorded, and nothing follows")


async def grant_exception(morning: Morning) -> AsyncIterator[str]:
    """An exception is asked for with a reason and an end, and holds once somebody else has approved it."""
    until = (datetime.now(UTC) + timedelta(seconds=_EXCEPTED_SECONDS)).isoformat()
    wish = {"group_id": "fuli", "rule": "links", "until": until, "reason": "联名活动，仅限直播期间"}
    before = (await morning.mei.post("/lexicon/scan", {"text": LINK, "group_id": "fuli"}))["verdict"]
    asked = await morning.mei.post("/exceptions", wish)
    await morning.fang.post(f"/exceptions/{asked['id']}/approval", {"content_hash": asked["content_hash"]})
    await morning.seconds_until("fuli", LINK, verdict="allow")
    judged = await morning.post_message("fuli", Says("", "bai", LINK))
    if (before, judged["verdict"]) != ("block", "allow"):
        yield f"a link: {before}, then {judged['verdict']}"
    morning.log_deed(morning.fang, "excepts a group from the rule on links", f"as {morning.mei.short_name} asked")


async def see_exception_end(morning: Morning) -> AsyncIterator[str]:
    """When its time is over, the rule holds again by itself."""
    await morning.seconds_until("fuli", LINK, verdict="block")
    judged = await morning.post_message("fuli", Says("", "fu", LINK, blocked("links", "links", WARNING)))
    if judged["verdict"] != "block":
        yield f"a link after the end: {judged['verdict']}"
    (granted, *_) = (await morning.mei.read("/exceptions", group_id="fuli"))["items"]
    if not granted["reason"] or granted["revoked_by"] or granted["approved_by"] == granted["granted_by"]:
        yield f"the exception: {granted}"
    morning.log_deed("傅雷雨", "sends a link when the exception is over", f"{judged['verdict']} links → warning")


async def roll_back(morning: Morning) -> AsyncIterator[str]:
    """An older version is put in force again, with a reason."""
    fang = morning.fang
    yield await _refused(fang, {"version": 1}, HTTPStatus.UNPROCESSABLE_ENTITY)
    await fang.post(f"{_POLICY}/activation", {"version": 1, "reason": "试行结束"}, ANY)
    seconds = await morning.seconds_until("fuli", _TEXT, policy="benefits@1")
    morning.log_deed(fang, "rolls back to benefits@1, with a reason", f"in force after {seconds:.1f} s")


async def _refused(who: ApiUser, activation: dict[str, int], status: HTTPStatus) -> str:
    """What speaks against an activation having been refused so; nothing if it was."""
    found = await who.refused("POST", f"{_POLICY}/activation", activation)
    return "" if found == status else f"{who.name} activated {activation}: {found}"
