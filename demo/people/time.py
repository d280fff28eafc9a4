"""An hour passes, and what was set for it happens by itself."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Final

from demo.clock_ahead import FOLLOW_UP_KINDS, ROUTINE_KINDS, advance_clock
from demo.people.api_user import Answer
from demo.people.morning import Morning
from demo.story.model import MUTE, Says, blocked
from huiqun.contracts.channel import ActionKind, MessageKind

_HOUR: Final = timedelta(minutes=61)
# Minutes after which somebody is told of a task that nobody has done, and how the words to them begin.
_STEPS: Final[Mapping[int, str]] = {31: "提醒：", 62: "升级："}
_TOO_LATE: Final = timedelta(minutes=125)


async def let_an_hour_pass(morning: Morning) -> AsyncIterator[str]:
    """Mutes end, rules are posted, rosters checked, and who looks after a group is told what waits too long."""
    mei = morning.mei
    due = await advance_clock(morning.system, _HOUR, ROUTINE_KINDS)
    morning.log_deed("时钟", "is put forward by an hour", f"{due} things are due")
    voice = await morning.wait_for_action(ActionKind.UNMUTE_MEMBER, group_id="licai", member_id="hu", reason="禁言到期")
    heard = await morning.post_message("licai", Says("", "hu", "谢谢，我会注意的"))
    if voice["state"] != "completed" or heard["verdict"] != "allow":
        yield f"the end of a mute: {voice['state']}, then {heard['verdict']}"
    morning.log_deed("胡一刀", "may write again", "the mute has ended by itself")
    posted = await morning.wait_for_action(ActionKind.SEND_MESSAGE, "温馨提示", group_id="fuli", reason="rules")
    if not (await mei.read("/groups/fuli/roster-reports"))["items"]:
        yield "the roster was not checked"
    morning.log_deed("惠群", "posts the rules, checks a roster", f"on schedule: {posted['state']}")
    patrol = await morning.wait_for_action(ActionKind.NOTIFY_STAFF, "巡群", group_id="fuli", reason="patrol")
    if "待处理案件" not in patrol["content"]:
        yield f"the patrol says {patrol['content']!r}"
    morning.log_deed(
        "惠群",
        "goes on patrol",
        f"{morning.short_name_of(patrol['assignee'])} is told what was blocked, and what waits",
    )
    late = (await mei.read("/cases", overdue="true"))["items"]
    told = await morning.wait_for_action(
        ActionKind.NOTIFY_STAFF, "超过响应时限", group_id=late[0]["group_id"] if late else ""
    )
    morning.log_deed(
        "惠群", "names what waits too long", f"{len(late)} cases, {morning.short_name_of(told['assignee'])} is told"
    )


async def leave_undone(morning: Morning) -> AsyncIterator[str]:
    """A task that nobody does is reminded of, escalated, and in the end given up; all of it can be seen."""
    morning.system.channel.away.add("tian")
    said = await morning.play_entry(
        "fuli", Says("", "lu", "再砍一刀", blocked("kinds", "kind", MUTE), kind=MessageKind.MINI_PROGRAM)
    )

    async def mute(state: str) -> Answer | None:
        actions = (await morning.mei.read("/actions", group_id="fuli", state=state))["items"]
        found = (each for each in actions if each["kind"] == "mute_member" and each["message_id"] == said.key)
        return next(found, None)

    task = await morning.wait_for(lambda: mute("assigned"), "a mute to be a task")
    morning.log_deed(
        "陆陆顺", "sends a mini program again", f"{morning.short_name_of(task['assignee'])}, away, is asked to mute"
    )
    try:
        for minutes, words in _STEPS.items():
            await advance_clock(morning.system, timedelta(minutes=minutes), FOLLOW_UP_KINDS)
            told = await morning.wait_for(lambda words=words: _told(morning, words), words)  # type: ignore[misc]
            morning.log_deed("惠群", f"after {minutes} minutes: {words[:2]}", f"{morning.short_name_of(told)} is told")
    finally:
        await advance_clock(morning.system, _TOO_LATE, FOLLOW_UP_KINDS)
        morning.system.channel.away.clear()
    given_up = await morning.wait_for(lambda: mute("expired"), "the task to be given up")
    if not given_up["detail"]:
        yield "the task does not say why it was given up"
    morning.log_deed("惠群", "gives up when it is too late", f"recorded as {given_up['state']}")


async def _told(morning: Morning, words: str) -> str | None:
    """Who was told so, if somebody was."""
    asked = (action for action in morning.transcript.asked.values() if action.content.startswith(words))
    return next((action.assignee for action in asked), None)
