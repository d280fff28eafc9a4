"""What members are told: greetings, rules, questions, reminders."""

from collections.abc import Mapping, Sequence

from huiqun.contracts.channel.mentions import AddressedText, Mention, TextSegment, compose_text, join_texts
from huiqun.contracts.channel.shown_names import clean_group_name
from moderation.policies.model import MembershipRules

NEWCOMER = "新朋友"
_NAMED = 5


def addressed(newcomers: Mapping[str, bool]) -> AddressedText:
    """Newcomers in one phrase: the first few by name, the others by number; whose name says more only counts.

    `newcomers` are member ids, each with whether its name may be told.
    """
    named = [Mention(member_id) for member_id, has_name in newcomers.items() if has_name][:_NAMED]
    if not named:
        return AddressedText(NEWCOMER if len(newcomers) == 1 else f"{len(newcomers)} 位{NEWCOMER}")
    listed = join_texts("、", named)
    return listed if len(named) == len(newcomers) else join_texts("", [listed, f" 等 {len(newcomers)} 位{NEWCOMER}"])


def greeting(rules: MembershipRules, group: str, newcomers: Mapping[str, bool]) -> AddressedText:
    """The one message that newcomers get: welcome, rules, guide, safety, and the question of consent."""
    welcome = rules.welcome
    parts: list[TextSegment | None] = []
    if welcome is not None:
        parts.append(_fill(welcome.text, rules, group, name=addressed(newcomers)))
        parts += [rules_of(rules) if welcome.with_rules else None, welcome.guide, welcome.safety]
    parts.append(question(rules, group))
    return _joined(parts)


def question(rules: MembershipRules, group: str) -> AddressedText | None:
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


def posted(rules: MembershipRules, group: str, *, changed: bool) -> AddressedText:
    """The rules as they are posted: as a reminder, or because they have changed and may need a new consent."""
    asks = question(rules, group) if changed and rules.consent is not None and rules.consent.renew else None
    head = "群规已更新，请各位成员阅读并遵守。" if changed else "温馨提示：请各位成员阅读并遵守群规。"
    return _joined([head, rules_of(rules), asks])


def reminder(rules: MembershipRules, group: str, link: str | None) -> AddressedText:
    """What a member is privately told who has not agreed yet, with a page to agree on if there is one."""
    on_page = link and f"也可打开链接确认：{link}"
    return _joined([f"您好，您尚未确认{_called(group)}的群规。", question(rules, group), on_page])


def invitation(group: str, link: str) -> AddressedText:
    """The private message with a newcomer's own page."""
    return compose_text("欢迎加入{group}，请打开链接阅读并确认群规：{link}", group=_called(group), link=link)


def hint(rules: MembershipRules, group: str) -> AddressedText:
    """What a member is privately told whose message was taken out for want of consent."""
    return _joined(["您好，确认群规后即可在群内发言。", question(rules, group)])


def _fill(text: str, rules: MembershipRules, group: str, **values: TextSegment) -> AddressedText:
    return compose_text(text, group=clean_group_name(group) or "本群", rules_url=rules.rules_url or "", **values)


def _called(group: str) -> str:
    shown = clean_group_name(group)
    return f"“{shown}”" if shown else "本群"


def _joined(parts: Sequence[TextSegment | None]) -> AddressedText:
    return join_texts("\n\n", [part for part in parts if part])
