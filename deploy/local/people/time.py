"""An hour passes, and what was set for it happens by itself."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from huiqun.contracts.channel import ActionKind
from local.later import let_pass
from local.people.morning import Morning
from local.story.model import Says

_HOUR: Final = timedelta(minutes=61)


async def let_an_hour_pass(morning: Morning) -> AsyncIterator[str]:
    """Mutes end, rules are posted, rosters checked, and who looks after a group is told what waits too long."""
    mei = morning.mei
    due = await let_pass(morning.system, _HOUR)
    morning.note("时钟", "is put forward by an hour", f"{due} things are due")
    voice = await morning.action(ActionKind.UNMUTE_MEMBER, group_id="licai", member_id="hu", reason="禁言到期")
    heard = await morning.says("licai", Says("", "hu", "谢谢，我会注意的"))
    if voice["state"] != "completed" or heard["verdict"] != "allow":
        yield f"the end of a mute: {voice['state']}, then {heard['verdict']}"
    morning.note("胡一刀", "may write again", "the mute has ended by itself")
    posted = await morning.action(ActionKind.SEND_MESSAGE, "温馨提示", group_id="fuli", reason="rules")
    if not (await mei.read("/groups/fuli/roster-reports"))["items"]:
        yield "the roster was not checked"
    morning.note("惠群", "posts the rules, checks a roster", f"on schedule: {posted['state']}")
    patrol = await morning.action(ActionKind.NOTIFY_STAFF, "巡群", group_id="fuli", reason="patrol")
    if "待处理案件" not in patrol["content"]:
        yield f"the patrol says {patrol['content']!r}"
    morning.note(
        "惠群", "goes on patrol", f"{morning.named(patrol['assignee'])} is told what was blocked, and what waits"
    )
    late = (await mei.read("/cases", overdue="true"))["items"]
    told = await morning.action(ActionKind.NOTIFY_STAFF, "超过响应时限", group_id=late[0]["group_id"] if late else "")
    morning.note("惠群", "names what waits too long", f"{len(late)} cases, {morning.named(told['assignee'])} is told")
