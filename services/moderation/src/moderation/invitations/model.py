"""What members are privately told who are asked to agree to the rules, or reminded to."""

from huiqun.contracts.channel.mentions import AddressedText, compose_text
from huiqun.contracts.channel.shown_names import clean_group_name
from moderation.consent.model import called_group, consent_question, join_paragraphs
from moderation.policies.sections.membership import MembershipRules


def consent_invitation(group: str, link: str) -> AddressedText:
    """The private message with a newcomer's own page."""
    shown = clean_group_name(group)
    welcome = f"欢迎加入“{shown}”！" if shown else "欢迎入群！"
    return compose_text("{welcome}请打开链接阅读并确认群规：{link}", welcome=welcome, link=link)


def consent_renewal(group: str, link: str, *, asked_before: bool) -> AddressedText:
    """The private message with the page of a member to whom other rules apply now, or rules for the first time."""
    renewed = "{group}的群规已更新，请打开链接阅读并重新确认：{link}"
    text = renewed if asked_before else "请打开链接阅读并确认{group}的群规：{link}"
    return compose_text(text, group=called_group(group), link=link)


def consent_reminder(rules: MembershipRules, group: str, link: str | None) -> AddressedText:
    """What a member is privately told who has not agreed yet: to open their page, or to reply where there is none."""
    if link is not None:
        return compose_text(
            "您好，您还没有确认{group}的群规，请打开链接阅读并确认：{link}", group=called_group(group), link=link
        )
    return join_paragraphs(
        f"您好，您还没有确认{called_group(group)}的群规。", consent_question(rules, group, by_link=False)
    )
