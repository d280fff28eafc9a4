"""What a group is told: greetings, its rules, how to leave; and what is remembered of it between events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from huiqun.channel.directory.model import DirectoryMember
from huiqun.contracts.channel import Role
from huiqun.contracts.channel.mentions import AddressedText, Mention, join_texts
from moderation.consent.model import consent_question, fill_text, join_paragraphs, normalize_phrases
from moderation.policies.sections.leaving import LeavingRule
from moderation.policies.sections.membership import MembershipRules

_NEWCOMER: Final = "新朋友"
_NAMED: Final = 5
_USUAL_WINDOW_SECONDS: Final = 30
# Who came longer ago than this is no newcomer: the events were late, or are being read again.
_STILL_NEW: Final = timedelta(hours=24)
# A greeting that has not come by then never will: its task failed too often.
_OVERDUE: Final = timedelta(hours=1)
_LONGEST_QUESTION: Final = 20
_MEANT_ANYWHERE: Final = 4


@dataclass(slots=True)
class GroupState:
    """`newcomers` are those not greeted yet, member id to whether the name may be told, in the order they came.

    `greet_at` is when they will be. `rules_version` is what members were last told; `schedules` what the group's
    tasks were set by, their names to "cron expression, time zone". `planned` is false until the group's policy was
    first looked at.
    """

    group_id: str
    planned: bool = False
    rules_version: str | None = None
    schedules: Mapping[str, str] = field(default_factory=dict)
    newcomers: dict[str, bool] = field(default_factory=dict)
    greet_at: datetime | None = None
    posted_at: datetime | None = None
    leaving_answered_at: datetime | None = None

    def may_answer_leaving(self, rule: LeavingRule, now: datetime) -> bool:
        """Whether the last answer to who wants to leave is long enough ago."""
        last = self.leaving_answered_at
        return last is None or now - last >= timedelta(minutes=rule.cooldown_minutes)

    def awaits_greeting(self, now: datetime) -> bool:
        """Whether a time to greet newcomers is set that may yet come."""
        return self.greet_at is not None and now - self.greet_at < _OVERDUE


def is_newcomer(member: DirectoryMember, now: datetime) -> bool:
    """Whether it is a customer who has just come."""
    came = member.joined_at
    return came is not None and member.role is Role.CUSTOMER and now - came < _STILL_NEW


def greets_newcomers(rules: MembershipRules) -> bool:
    """Whether newcomers are told anything."""
    return rules.welcome is not None or rules.consent is not None


def greeting_window(rules: MembershipRules) -> timedelta:
    """How long newcomers gather to be greeted together."""
    return timedelta(seconds=rules.welcome.window_seconds if rules.welcome else _USUAL_WINDOW_SECONDS)


def asks_to_leave(reply: str, rule: LeavingRule) -> bool:
    """Whether a short normalized reply asks how to leave: it is a phrase, or holds one long enough to mean it."""
    if len(reply) > _LONGEST_QUESTION:
        return False
    phrases = normalize_phrases(rule.phrases)
    return any(phrase in reply and (len(phrase) >= _MEANT_ANYWHERE or phrase == reply) for phrase in phrases)


def address_newcomers(newcomers: Mapping[str, bool]) -> AddressedText:
    """Name newcomers in one phrase: the first few by name, the others by number; whose name says more only counts.

    `newcomers` are member ids, each with whether its name may be told.
    """
    named = [Mention(member_id) for member_id, has_name in newcomers.items() if has_name][:_NAMED]
    if not named:
        return AddressedText(_NEWCOMER if len(newcomers) == 1 else f"{len(newcomers)} 位{_NEWCOMER}")
    listed = join_texts("、", named)
    return listed if len(named) == len(newcomers) else join_texts("", [listed, f" 等 {len(newcomers)} 位{_NEWCOMER}"])


def greeting_text(rules: MembershipRules, group: str, newcomers: Mapping[str, bool], *, by_link: bool) -> AddressedText:
    """The one message that newcomers get: welcome, rules, guide, safety, and the question of consent.

    `newcomers` as `address_newcomers` takes them; `by_link` where each of them is sent a page to agree on.
    """
    welcome, question = rules.welcome, consent_question(rules, group, by_link=by_link)
    if welcome is None:
        return join_paragraphs(question)
    opening = fill_text(welcome.text, rules, group, name=address_newcomers(newcomers))
    rules_text = format_rules(rules) if welcome.with_rules else None
    return join_paragraphs(opening, rules_text, welcome.guide, welcome.safety, question)


def format_rules(rules: MembershipRules) -> str | None:
    """The rules as members read them; None where there are none."""
    if not rules.has_rules:
        return None
    return "\n".join(
        part for part in ("【群规】", rules.rules_text, rules.rules_url and f"群规全文：{rules.rules_url}") if part
    )


def rules_reminder(rules: MembershipRules) -> AddressedText:
    """The rules as they are posted from time to time."""
    return join_paragraphs("温馨提示：请各位成员阅读并遵守群规。", format_rules(rules))


def rules_announcement(rules: MembershipRules, group: str, *, first: bool, by_link: bool) -> AddressedText:
    """The rules as they are posted because they have changed, or there are some for the first time.

    They may need a new consent; `by_link` where each member is sent a page to give it on.
    """
    head = "请各位成员阅读并遵守本群群规。" if first else "群规已更新，请各位成员阅读并遵守。"
    renews = rules.consent is not None and rules.consent.renew
    question = consent_question(rules, group, by_link=by_link) if renews else None
    return join_paragraphs(head, format_rules(rules), question)
