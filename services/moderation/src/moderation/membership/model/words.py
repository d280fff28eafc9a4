"""What members are told: greetings, rules, questions, reminders."""

import re
from collections.abc import Sequence

from huiqun.contracts.channel import MAX_TEXT
from huiqun.privacy.detection import find_personal_data
from moderation.lexicon.model.folding import fold
from moderation.policies.model import MembershipRules

NEWCOMER = "新朋友"
_NAMED = 5
_LONGEST_NAME = 20
# What a name is used for when it advertises: numbers, addresses, other places to talk.
_ADVERTISES = re.compile(
    r"[0-9]{5}|https?:|www\.|[a-z0-9]\.(?:com|cn|net|org|top|xyz|vip|cc)|微信|薇信|weixin|wechat|v信|vx|qq|加[微薇v]"
)


def presentable(name: str) -> str:
    """A name as we may repeat it in a group: short, on one line; empty if it advertises or holds personal data."""
    plain = " ".join(name.split())
    if _ADVERTISES.search(fold(plain)) or find_personal_data(plain):
        return ""
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[: _LONGEST_NAME - 1]}…"


def addressed(names: Sequence[str]) -> str:
    """Newcomers in one phrase: the first few by name, the others by number; who has no usable name only counts."""
    named = [name for name in names if name][:_NAMED]
    if not named:
        return NEWCOMER if len(names) == 1 else f"{len(names)} 位{NEWCOMER}"
    listed = "、".join(named)
    return listed if len(named) == len(names) else f"{listed} 等 {len(names)} 位{NEWCOMER}"


def greeting(rules: MembershipRules, group: str, names: Sequence[str]) -> str:
    """The one message that newcomers get: welcome, rules, guide, safety, and the question of consent."""
    welcome = rules.welcome
    parts: list[str | None] = []
    if welcome is not None:
        parts.append(_fill(welcome.text, rules, group, name=addressed(names)))
        parts += [rules_of(rules) if welcome.with_rules else None, welcome.guide, welcome.safety]
    parts.append(question(rules, group))
    return _joined(parts)


def question(rules: MembershipRules, group: str) -> str | None:
    """How members are asked to agree; None where they are not."""
    consent = rules.consent
    return _fill(consent.ask, rules, group, phrase=consent.phrases[0]) if consent else None


def rules_of(rules: MembershipRules) -> str | None:
    """The rules as members read them; None where there are none."""
    if not rules.has_rules:
        return None
    return "\n".join(
        part for part in ("【群规】", rules.rules_text, rules.rules_url and f"群规全文：{rules.rules_url}") if part
    )


def posted(rules: MembershipRules, group: str, *, changed: bool) -> str:
    """The rules as they are posted: as a reminder, or because they have changed and may need a new consent."""
    asks = question(rules, group) if changed and rules.consent is not None and rules.consent.renew else None
    head = "群规已更新，请各位成员阅读并遵守。" if changed else "温馨提示：请各位成员阅读并遵守群规。"
    return _joined([head, rules_of(rules), asks])


def reminder(rules: MembershipRules, group: str, link: str | None) -> str:
    """What a member is privately told who has not agreed yet, with a page to agree on if there is one."""
    on_page = link and f"也可打开链接确认：{link}"
    return _joined([f"您好，您尚未确认{_called(group)}的群规。", question(rules, group), on_page])


def invitation(group: str, link: str) -> str:
    """The private message with a newcomer's own page."""
    return f"欢迎加入{_called(group)}，请打开链接阅读并确认群规：{link}"


def hint(rules: MembershipRules, group: str) -> str:
    """What a member is privately told whose message was taken out for want of consent."""
    return _joined(["您好，确认群规后即可在群内发言。", question(rules, group)])


def _fill(text: str, rules: MembershipRules, group: str, **values: str) -> str:
    return text.format(group=group or "本群", rules_url=rules.rules_url or "", **values)


def _called(group: str) -> str:
    return f"“{group}”" if group else "本群"


def _joined(parts: Sequence[str | None]) -> str:
    return "\n\n".join(part for part in parts if part)[:MAX_TEXT]
