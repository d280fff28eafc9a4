"""Members come, agree to the rules, ask how to go; strangers are found out."""

from collections.abc import AsyncIterator

from huiqun.contracts.channel import ActionKind
from local.people.morning import Morning
from local.story.model import Joins, Says, blocked
from local.story.morning import RULES_TEXT, STAFF, STRANGERS

_FOUND = {"mo": "unknown_staff", "qi": "departed_staff", "kefu": "staff_like_name"}


async def welcome_newcomer(morning: Morning) -> AsyncIterator[str]:
    """A newcomer is welcomed with the rules, is held back until they agree, and then heard."""
    await morning.happens("fuli", Joins("morning", "bian"))
    welcome = await morning.action(ActionKind.SEND_MESSAGE, group_id="fuli", reason="welcome")
    if "卞之琳" not in welcome["content"] or RULES_TEXT not in welcome["content"]:
        yield f"welcomed with {welcome['content']!r}"
    morning.note("卞之琳", "joins", "welcomed, and asked to agree to the rules")
    early = await morning.says("fuli", Says("", "bian", "今天有什么活动", blocked("consent")))
    hint = await morning.action(ActionKind.SEND_PRIVATE, group_id="fuli", member_id="bian")
    if early["verdict"] != "block" or "我已阅读并同意" not in hint["content"]:
        yield f"before consent: {early['verdict']}, told {hint['content']!r}"
    await morning.says("fuli", Says("", "bian", "我已阅读并同意"))
    heard = await morning.says("fuli", Says("", "bian", "请问今天有什么活动"))
    member = await morning.mei.read("/groups/fuli/members/bian")
    if heard["verdict"] != "allow" or not member["consented"]:
        yield f"after consent: {heard['verdict']}, consented {member['consented']}"
    morning.note("卞之琳", "replies 我已阅读并同意", "heard from then on; the consent is recorded")


async def explain_leaving(morning: Morning) -> AsyncIterator[str]:
    """Who wants to leave is told how."""
    await morning.says("fuli", Says("", "du", "怎么退群"))
    answer = await morning.action(ActionKind.SEND_MESSAGE, group_id="fuli", reason="leaving")
    if "退出群聊" not in answer["content"]:
        yield f"told {answer['content']!r}"
    morning.note("杜若", "asks how to leave", "told how")


async def check_roster(morning: Morning) -> AsyncIterator[str]:
    """Who is there as staff and should not be, and a customer who goes by a name like theirs."""
    mei = morning.mei
    for member_id in STRANGERS:
        await morning.happens("licai", Joins("morning", member_id))
    for member_id in STRANGERS:
        await morning.until(
            lambda member_id=member_id: mei.find(f"/groups/licai/members/{member_id}"),  # type: ignore[misc]
            f"{member_id} to be on the roster",
        )
    revision = (await mei.read("/staff"))["revision"]
    listed = await mei.put("/staff", STAFF, revision)
    report = await mei.post("/groups/licai/roster-reports")
    found = {finding["member_id"]: finding["kind"] for finding in report["findings"]}
    if found != _FOUND:
        yield f"found {found}"
    told = await morning.action(ActionKind.NOTIFY_STAFF, group_id="licai", reason="roster")
    if told["assignee"] != "shen":
        yield f"told {told['assignee']}"
    morning.note(mei, f"checks a roster against {listed['size']} staff", "an unknown one, a departed one, a false 客服")
