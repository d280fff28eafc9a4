"""The rules of a group are changed while everything runs: with four eyes, on trial, with exceptions, and back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from huiqun.contracts.channel import ActionKind, MessageKind
from local.people.colleague import ANY, Colleague
from local.people.morning import Morning
from local.story.model import WARNING, Says, blocked
from local.story.morning import LINK, LONG_TEXT, RULES, RULES_TEXT

_SECONDS: Final = 2.0
_POLICY: Final = "/policies/benefits"
_TEXT: Final = "大家好"


async def change_policy(morning: Morning) -> AsyncIterator[str]:
    """One person writes a version, another one puts it in force; it judges within two seconds, and is posted."""
    mei, fang = morning.mei, morning.fang
    version = (await mei.post(f"{_POLICY}/versions", {"rules": RULES, "note": "会员日之后：小程序一律不发"}))["version"]
    yield await _refused(mei, {"version": version}, HTTPStatus.FORBIDDEN)
    differences = (await fang.read(f"{_POLICY}/versions/{version}/diff"))["differences"]
    morning.note(mei, f"writes policy benefits@{version}", f"{len(differences)} values differ; not hers to activate")
    await fang.post(f"{_POLICY}/activation", {"version": version}, ANY)
    label = f"benefits@{version}"
    seconds = await morning.seconds_until("fuli", _TEXT, policy=label)
    if seconds > _SECONDS:
        yield f"{label} was in force after {seconds:.1f} s"
    posted = await morning.action(ActionKind.SEND_MESSAGE, group_id="fuli", reason="rules")
    if RULES_TEXT not in posted["content"]:
        yield "the group was posted other rules"
    morning.note(fang, "activates it", f"in force after {seconds:.1f} s, posted in the group")
    mini_program = Says("", "lu", "砍一刀小程序", blocked("kinds", "kind", WARNING), kind=MessageKind.MINI_PROGRAM)
    judged = await morning.says("fuli", mini_program)
    if judged["policy"] != label:
        yield f"a mini program was judged by {judged['policy']}"
    morning.note("陆陆顺", "sends a mini program", f"{judged['verdict']} by {judged['policy']}")


async def explain_policy(morning: Morning) -> AsyncIterator[str]:
    """Each value of a group's rules says where it comes from."""
    found = await morning.mei.read("/groups/fuli/policy")
    sources = {origin["path"]: origin["source"] for origin in found["origins"]}
    for path, source in {"quota/per_day": "benefits@2", "flood/messages": "built_in"}.items():
        if sources.get(path) != source:
            yield f"{path} comes from {sources.get(path)}"
    morning.note(morning.mei, "asks where rules come from", f"{len(sources)} values of {' + '.join(found['layers'])}")


async def try_rule(morning: Morning) -> AsyncIterator[str]:
    """A rule on trial records what it finds, and nothing follows."""
    judged = await morning.says("fuli", Says("", "meng", LONG_TEXT))
    shadows = [reason["rule"] for reason in judged["reasons"] if reason.get("shadow")]
    if judged["verdict"] != "allow" or shadows != ["length"]:
        yield f"{judged['verdict']}, on trial {shadows}"
    morning.note("孟想", "breaks a rule that is on trial", "recorded, and nothing follows")


async def grant_exception(morning: Morning) -> AsyncIterator[str]:
    """An exception is granted with a reason and an end, and holds within two seconds."""
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    wish = {"group_id": "fuli", "rule": "links", "until": until, "reason": "联名活动，仅限今天"}
    before = (await morning.mei.post("/lexicon/scan", {"text": LINK, "group_id": "fuli"}))["verdict"]
    await morning.fang.post("/exceptions", wish)
    seconds = await morning.seconds_until("fuli", LINK, verdict="allow")
    judged = await morning.says("fuli", Says("", "bai", LINK))
    if (before, judged["verdict"]) != ("block", "allow") or seconds > _SECONDS:
        yield f"a link: {before}, then {judged['verdict']} after {seconds:.1f} s"
    morning.note(morning.fang, "excepts a group from the rule on links", "for a day; 白露 may send one")


async def roll_back(morning: Morning) -> AsyncIterator[str]:
    """An older version is put in force again, with a reason."""
    fang = morning.fang
    yield await _refused(fang, {"version": 1}, HTTPStatus.UNPROCESSABLE_ENTITY)
    await fang.post(f"{_POLICY}/activation", {"version": 1, "reason": "试行结束"}, ANY)
    seconds = await morning.seconds_until("fuli", _TEXT, policy="benefits@1")
    if seconds > _SECONDS:
        yield f"benefits@1 was in force after {seconds:.1f} s"
    morning.note(fang, "rolls back to benefits@1, with a reason", f"in force after {seconds:.1f} s")


async def _refused(who: Colleague, activation: dict[str, int], status: HTTPStatus) -> str:
    """What speaks against an activation having been refused so; nothing if it was."""
    found = await who.refused("POST", f"{_POLICY}/activation", activation)
    return "" if found == status else f"{who.name} activated {activation}: {found}"
