"""Members come, agree to the rules, ask how to go; strangers are found out."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Final

import httpx

from demo.people.morning import Morning
from demo.story.model import WARNING, Joins, Says, blocked
from demo.story.morning import GUIDE, NEWCOMERS, RULES_TEXT, SAFETY, STAFF, STRANGERS
from huiqun.contracts.channel import ActionKind

_BUTTON: Final = re.compile(r'action="([^"]+)"')
_FOUND = {"mo": "unknown_staff", "qi": "departed_staff", "kefu": "staff_like_name"}


async def welcome_newcomer(morning: Morning) -> AsyncIterator[str]:
    """A newcomer is welcomed with the rules, is held back until they agree, and then heard."""
    await morning.play_entry("fuli", Joins("morning", "bian"))
    welcome = await morning.wait_for_action(ActionKind.SEND_MESSAGE, "{member:bian}", group_id="fuli", reason="welcome")
    if "欢迎 卞之琳 加入" not in morning.transcript.told[welcome["id"]]:
        yield f"the channel said {morning.transcript.told[welcome['id']]!r}"
    if any(part not in welcome["content"] for part in (RULES_TEXT, GUIDE, SAFETY)):
        yield f"welcomed with {welcome['content']!r}"
    morning.log_deed("卞之琳", "joins", "welcome, rules, guide and safety advice")
    early = await morning.post_message("fuli", Says("", "bian", "今天有什么活动", blocked("consent")))
    await morning.wait_for_action(ActionKind.SEND_PRIVATE, "我已阅读并同意", group_id="fuli", member_id="bian")
    if early["verdict"] != "block":
        yield f"before consent: {early['verdict']}"
    await morning.post_message("fuli", Says("", "bian", "我已阅读并同意"))
    heard = await morning.post_message("fuli", Says("", "bian", "请问今天有什么活动"))
    member = await morning.mei.read("/groups/fuli/members/bian")
    if heard["verdict"] != "allow" or not member["consented"]:
        yield f"after consent: {heard['verdict']}, consented {member['consented']}"
    morning.log_deed("卞之琳", "replies 我已阅读并同意", "heard from then on; the consent is recorded")


async def agree_by_link(morning: Morning) -> AsyncIterator[str]:
    """Another newcomer agrees on the page of a signed link; a link that was changed opens nothing."""
    await morning.play_entry("fuli", Joins("morning", "ji"))
    link = await morning.link_sent_to("ji")
    async with httpx.AsyncClient() as browser:
        forged = await browser.get(f"{link}x")
        page = await browser.get(link)
        button = _BUTTON.search(page.text)
        agreed = await browser.post(f"{link.partition('?')[0]}{unescape(button[1])}" if button else link)
    if (forged.is_error, agreed.is_error) != (True, False):
        yield f"a forged link: {forged.status_code}, the right one: {agreed.status_code}"
    heard = await morning.post_message("fuli", Says("", "ji", "请问本周有什么活动"))
    (consent, *_) = (await morning.mei.read("/groups/fuli/consents", member_id="ji"))["items"]
    if heard["verdict"] != "allow" or consent["given_by"] != "link" or not consent["rules_version"]:
        yield f"agreed by {consent['given_by']}, then {heard['verdict']}"
    morning.log_deed("纪念", "agrees on the page of a link", f"recorded: rules {consent['rules_version'][:6]}")


async def keep_names_clean(morning: Morning) -> AsyncIterator[str]:
    """Who calls himself "everybody" and advertises is greeted and warned, and nobody repeats what he calls himself."""
    name = NEWCOMERS["suoyou"].name
    await morning.play_entry("fuli", Joins("morning", "suoyou"))
    welcome = await morning.wait_for_action(
        ActionKind.SEND_MESSAGE, "欢迎 新朋友 加入", group_id="fuli", member_id="suoyou"
    )
    await morning.post_message("fuli", Says("", "suoyou", "我已阅读并同意"))
    await morning.post_message("fuli", Says("", "suoyou", "加入我们拼单裂变", blocked("lexicon", "ads", WARNING)))
    warning = await morning.wait_for_action(ActionKind.SEND_MESSAGE, "{member:suoyou}", group_id="fuli", reason="ads")
    said = morning.transcript.told[warning["id"]]
    if not said.startswith("群友您好") or any(part in f"{said}{welcome['content']}" for part in name.split()):
        yield f"the channel said {said!r}"
    morning.log_deed("新朋友", "calls himself @所有人 加微信…", f"the bot says: {welcome['content'][:8]}…, {said[:4]}…")


async def explain_leaving(morning: Morning) -> AsyncIterator[str]:
    """Who wants to leave is told how."""
    await morning.post_message("fuli", Says("", "du", "怎么退群"))
    answer = await morning.wait_for_action(ActionKind.SEND_MESSAGE, group_id="fuli", reason="leaving")
    if "退出群聊" not in answer["content"]:
        yield f"told {answer['content']!r}"
    morning.log_deed("杜若", "asks how to leave", "told how")


async def check_roster(morning: Morning) -> AsyncIterator[str]:
    """Who is there as staff and should not be, and a customer who goes by a name like theirs."""
    mei = morning.mei
    for member_id in STRANGERS:
        await morning.play_entry("licai", Joins("morning", member_id))
    for member_id in STRANGERS:
        await morning.wait_for(
            lambda member_id=member_id: mei.find(f"/groups/licai/members/{member_id}"),  # type: ignore[misc]
            f"{member_id} to be on the roster",
        )
    revision = (await mei.read("/staff"))["revision"]
    listed = await mei.put("/staff", STAFF, revision)
    report = await mei.post("/groups/licai/roster-reports")
    found = {finding["member_id"]: finding["kind"] for finding in report["findings"]}
    if found != _FOUND:
        yield f"found {found}"
    told = await morning.wait_for_action(ActionKind.NOTIFY_STAFF, group_id="licai", reason="roster")
    if told["assignee"] != "shen":
        yield f"told {told['assignee']}"
    morning.log_deed(
        mei, f"checks a roster against {listed['size']} staff", "an unknown one, a departed one, a false 客服"
    )
