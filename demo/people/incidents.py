"""A drill and an emergency."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from demo.people.api_user import ANY
from demo.people.morning import Morning
from demo.story.model import Expected, Says, blocked
from demo.story.morning import DRILL, REVIEW
from huiqun.contracts.channel import ActionKind
from huiqun.contracts.moderation import Verdict

_GROUP: Final = "licai"
_KINDS: Final = {"leak", "complaint", "attack", "bad_press"}


async def read_plans(morning: Morning) -> AsyncIterator[str]:
    """For each kind of crisis stands a plan, whose steps have an owner and a due time."""
    kinds = {plan["kind"] for plan in (await morning.duty.read("/incident-plans"))["items"]}
    if kinds < _KINDS:
        yield f"there are plans for {sorted(kinds)} only"
    for kind in _KINDS:
        plan = (await morning.duty.read(f"/incident-plans/{kind}"))["plan"]
        if not all(step["owner_role"] and step["due_minutes"] for step in plan["steps"]):
            yield f"a step of the plan for {kind} has no owner or no due time"
    morning.log_deed(morning.duty, "reads the plans", "leak, complaint, attack, bad press")


async def keep_quiet(morning: Morning) -> AsyncIterator[str]:
    """In a quiet group who asks staff is heard, and who chats is told why not, without an offence."""
    mei, path = morning.mei, f"/groups/{_GROUP}/mode"
    await mei.put(path, {"mode": "quiet", "minutes": 30, "reason": "直播期间"}, ANY)
    await morning.seconds_until(_GROUP, "随便聊聊", verdict="warn")
    chat = await morning.post_message(
        _GROUP, Says("", "bai", "直播几点开始来着", Expected(Verdict.WARN, "mode", "quiet"))
    )
    told = await morning.wait_for_action(ActionKind.SEND_PRIVATE, "安静模式", group_id=_GROUP, member_id="bai")
    asked = await morning.post_message(_GROUP, Says("", "deng", "请问回放在哪里看", mentions=("shen",)))
    if (chat["verdict"], asked["verdict"], told["state"]) != ("warn", "allow", "completed"):
        yield f"a chat {chat['verdict']}, a question {asked['verdict']}"
    await mei.put(path, {"mode": "normal"}, ANY)
    await morning.seconds_until(_GROUP, "随便聊聊", verdict="allow")
    morning.log_deed(mei, "makes 理财交流群 quiet", "announced in the group")
    morning.log_deed("白露", "chats", "told why not, which is no offence")
    morning.log_deed("邓丽娟", "asks @沈岚 a short question", "heard")


async def drill(morning: Morning) -> AsyncIterator[str]:
    """A drill of three hours is played in seconds and scored; the groups and the channel feel nothing of it."""
    mei = morning.mei
    began = datetime.now(UTC) - timedelta(hours=3)
    opened = await mei.post("/incidents", {**DRILL, "as_of": began.isoformat()})

    async def contained() -> Any:  # noqa: ANN401 (JSON)
        incident = await mei.read(f"/incidents/{opened['id']}")
        return incident if incident["state"] == "contained" else None

    await morning.wait_for(contained, "the drill to be contained")
    closed = await mei.post(f"/incidents/{opened['id']}/closure", REVIEW, ANY)
    if not closed["drill"] or not 0 < closed["score"] < 100:
        yield f"scored {closed['score']}"
    if (await mei.read(f"/groups/{_GROUP}/mode"))["mode"] != "normal":
        yield "the drill has changed the group's mode"
    rehearsed = (await mei.read("/actions", state="shadow", limit=100))["items"]
    if not rehearsed or any(action["id"] in morning.transcript.asked for action in rehearsed):
        yield f"{len(rehearsed)} actions were rehearsed, some of them on the channel"
    morning.log_deed(mei, "runs a drill of an attack", f"score {closed['score']}, {len(rehearsed)} actions, none sent")


async def emergency(morning: Morning) -> AsyncIterator[str]:
    """Who stands in may lock a group down once it is delegated to them; only staff are heard until it is over."""
    duty = morning.duty
    opening = {"kind": "attack", "groups": [_GROUP], "reason": "多个账号同时发广告"}
    if await duty.refused("POST", "/incidents", opening) != HTTPStatus.FORBIDDEN:
        yield f"{duty.name} opened an incident without authority"
    until = (datetime.now(UTC) + timedelta(hours=4)).isoformat()
    wanted = {"principal_id": duty.id, "rights": ["handle_incidents"], "groups": [_GROUP]}
    await morning.fang.post("/delegations", {**wanted, "until": until, "reason": "值班"})
    morning.log_deed(morning.fang, f"delegates emergencies to {duty.short_name}", "in 理财交流群, for four hours")
    incident = await duty.post("/incidents", opening)
    locked = await morning.seconds_until(_GROUP, "大家还在吗", verdict="block")
    unheard = await morning.post_message(_GROUP, Says("", "tao", "大家还在吗", blocked("mode", "lockdown")))
    heard = await morning.post_message(_GROUP, Says("", "shen", "请大家稍候，我们正在处理。"))
    if (unheard["verdict"], heard["verdict"]) != ("block", "allow"):
        yield f"in lockdown: a customer {unheard['verdict']}, staff {heard['verdict']}"
    morning.log_deed(duty, "opens an incident: lockdown", f"after {locked:.1f} s only staff are heard")
    path = f"/incidents/{incident['id']}"
    await duty.post(f"{path}/steps/confirm/completion", {"note": "五个账号，同一话术"})
    await duty.post(f"{path}/containment", seen=ANY)
    closed = await duty.post(f"{path}/closure", REVIEW, ANY)
    await morning.seconds_until(_GROUP, "恢复了吗", verdict="allow")
    await morning.post_message(_GROUP, Says("", "tao", "恢复了吗"))
    told = await morning.wait_for_action(ActionKind.SEND_MESSAGE, group_id=_GROUP, state="completed")
    if "恢复" not in told["content"]:
        yield f"the group was last told {told['content']!r}"
    morning.log_deed(duty, "contains and closes it", "all are heard again; a review with lessons")
    draft = closed["draft_version"]
    activated = await morning.fang.post("/incident-plans/attack/activation", {"version": draft}, ANY)
    plan = (await duty.read("/incident-plans/attack"))["plan"]
    due = {step["key"]: step["due_minutes"] for step in plan["steps"]}
    if activated["active"] != draft or due["confirm"] != REVIEW["step_changes"][0]["due_minutes"]:
        yield f"plan {activated['active']} in force, to be confirmed within {due['confirm']} minutes"
    morning.log_deed(
        morning.fang, "puts the lessons in force", f"attack@{draft}: to confirm within {due['confirm']} min"
    )
