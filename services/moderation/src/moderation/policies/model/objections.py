"""Why rules that are well-formed make no sense: they would stop everybody, or do nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from pydantic import ValidationError

from huiqun.contracts.channel import MessageKind
from huiqun.contracts.moderation import Verdict
from moderation.policies.model.inheritance import Layer, effective
from moderation.policies.model.membership import MembershipRules
from moderation.policies.model.rules import (
    KindRule,
    Ladder,
    LengthRule,
    LexiconRule,
    LinkRule,
    QuietHours,
    Rules,
    StaffRule,
)
from moderation.policies.model.values import fields_of

_LEAST_CHARACTERS = 5
_LEAST_TIME_TO_WRITE = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with a rule; `path` leads to it from the rules."""

    path: tuple[str | int, ...]
    reason: str


def objections(rules: Rules) -> list[Objection]:
    """Everything that speaks against putting these rules in force; empty for rules that make sense."""
    found: list[Objection] = []
    if not _does_something(rules):
        found.append(Objection((), "Every rule is off: this policy would let everything pass."))
    if rules.length is not None:
        found += _of_length(rules.length)
    if rules.kinds is not None:
        found += _of_kinds(rules.kinds)
    if rules.quiet_hours is not None:
        found += _of_quiet_hours(rules.quiet_hours)
    if rules.links is not None:
        found += _of_links(rules.links)
    if rules.lexicon is not None:
        found += _of_lexicon(rules.lexicon)
    if rules.staff is not None:
        found += _of_staff(rules.staff)
    found += _of_ladder(rules.ladder)
    found += _of_membership(rules.membership)
    return found


def objections_to(layers: Sequence[Layer]) -> list[Objection]:
    """Everything that speaks against the rules that hold below these layers."""
    try:
        rules = effective(layers)
    except ValidationError as error:
        return [Objection(tuple(part["loc"]), f"With what it inherits: {part['msg']}.") for part in error.errors()]
    return objections(rules)


def _does_something(rules: Rules) -> bool:
    chosen = (
        rules.quota,
        rules.length,
        rules.flood,
        rules.duplicate,
        rules.quiet_hours,
        rules.links,
        rules.contacts,
        rules.personal_data,
        rules.kinds,
        rules.probation,
        rules.announcements,
        rules.classifier,
    )
    words = rules.lexicon.categories.values() if rules.lexicon else ()
    return any(rule is not None for rule in chosen) or any(outcome is not None for outcome in words)


def _of_length(rule: LengthRule) -> Iterator[Objection]:
    if rule.max_characters is None and rule.max_seconds is None:
        yield Objection(("length",), "It caps neither characters nor seconds.")
    elif rule.max_characters is not None and rule.max_characters < _LEAST_CHARACTERS:
        reason = f"Fewer than {_LEAST_CHARACTERS} characters would hit nearly every message."
        yield Objection(("length", "max_characters"), reason)


def _of_kinds(rule: KindRule) -> Iterator[Objection]:
    path = ("kinds", "forbidden")
    if not rule.forbidden:
        yield Objection(path, "It forbids no kind of message.")
    if MessageKind.TEXT in rule.forbidden:
        yield Objection(path, "Without texts, hardly anything could be said.")


def _of_lexicon(rule: LexiconRule) -> Iterator[Objection]:
    for index, category in enumerate(rule.shadow_categories):
        if rule.categories.get(category) is None:
            reason = f"{category} is on trial for nothing: name in categories what its words would lead to."
            yield Objection(("lexicon", "shadow_categories", index), reason)


def _of_staff(rule: StaffRule) -> Iterator[Objection]:
    for category, outcome in rule.categories.items():
        if outcome is Verdict.BLOCK:
            reason = "Staff are told or reviewed, never blocked: no rule mutes or removes them."
            yield Objection(("staff", "categories", category), reason)


def _of_quiet_hours(rule: QuietHours) -> Iterator[Objection]:
    if rule.window is None:
        yield Objection(("quiet_hours", "end"), "It ends when it starts, so no moment is quiet.")
    elif _DAY - rule.window.length < _LEAST_TIME_TO_WRITE:
        yield Objection(("quiet_hours",), "It leaves less than an hour a day to write in.")


def _of_links(rule: LinkRule) -> Iterator[Objection]:
    for index, domain in enumerate(rule.allowed_domains):
        labels = domain.split(".")
        path = ("links", "allowed_domains", index)
        if not all(labels):
            yield Objection(path, f"{domain} is no domain: it has two dots together, or one at an end.")
        elif len(labels) == 1:
            yield Objection(path, f"{domain} would allow every link that ends in it.")


def _of_ladder(ladder: Ladder) -> Iterator[Objection]:
    if any(later < earlier for earlier, later in pairwise(ladder.scores)):
        yield Objection(("ladder", "scores"), "A higher rung needs at least the score of the one below.")
    if any(later < earlier for earlier, later in pairwise(ladder.mute_minutes)):
        yield Objection(("ladder", "mute_minutes"), "A later mute lasts at least as long as the one before.")


def _of_membership(rules: MembershipRules) -> Iterator[Objection]:
    if not rules.has_rules:
        for section in ("consent", "posting"):
            if getattr(rules, section) is not None:
                yield Objection(("membership", section), "Without rules_text or rules_url there are no rules.")
    if rules.rules_url is None:
        for section, field, text in (
            ("welcome", "text", rules.welcome.text if rules.welcome else ""),
            ("consent", "ask", (rules.consent and rules.consent.ask) or ""),
        ):
            if "rules_url" in fields_of(text):
                yield Objection(("membership", section, field), "It holds {rules_url}, and there is none.")
