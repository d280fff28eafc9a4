"""What the rules of a policy mean, and what speaks against some."""

from datetime import time
from typing import Any

import pytest
from pydantic import ValidationError

from moderation.contacts.model import find_links, list_outside_links
from moderation.policies.sections.limit_rules import QuietHours
from moderation.policies.sections.rules import Rules


@pytest.mark.parametrize(
    ("start", "end", "moment", "quiet"),
    [
        ("22:30", "07:30", "22:30", True),
        ("22:30", "07:30", "23:59:59", True),
        ("22:30", "07:30", "00:00", True),
        ("22:30", "07:30", "07:29:59", True),
        ("22:30", "07:30", "07:30", False),
        ("22:30", "07:30", "22:29:59", False),
        ("12:00", "14:00", "13:00", True),
        ("12:00", "14:00", "14:00", False),
        ("12:00", "14:00", "23:00", False),
        ("00:00", "06:00", "00:00", True),
        ("18:00", "00:00", "23:59:59", True),
        ("18:00", "00:00", "00:00", False),
    ],
)
def test_quiet_hours_begin_when_they_begin_and_may_pass_midnight(
    start: str, end: str, moment: str, quiet: bool
) -> None:
    hours = QuietHours(start=time.fromisoformat(start), end=time.fromisoformat(end))
    assert hours.covers(time.fromisoformat(moment)) is quiet


def test_quiet_hours_that_end_when_they_start_are_never() -> None:
    assert not QuietHours(start=time(8), end=time(8)).covers(time(8))


@pytest.mark.parametrize(
    ("link", "allowed"),
    [
        ("https://bank.example.com/a?b=c", True),
        ("www.Bank.Example.COM", True),
        ("http://example.com", False),
        ("http://notbank.example.com", False),
        ("http://bank.example.com.evil.top/x", False),
        ("bank.example.com", True),
    ],
)
def test_an_allowed_domain_allows_what_stands_below_it_and_nothing_that_looks_like_it(link: str, allowed: bool) -> None:
    assert (list_outside_links(find_links(f"请看 {link} 谢谢"), ("bank.example.com",)) == []) is allowed


def test_what_comes_with_the_service_makes_sense() -> None:
    assert list(Rules().list_faults()) == []


@pytest.mark.parametrize(
    "rules",
    [
        {"quota": {"per_day": 0}},
        {"quota": {"per_day": 5, "verdict": "allow"}},
        {"flood": {"messages": 21}},
        {"quiet_hours": {"start": "22:00+08:00", "end": "07:00"}},
        {"links": {"allowed_domains": ["exa mple.com"]}},
        {"lexicon": {"categories": {"a b": "block"}}},
        {"lexicon": {"categories": {"ads": "allow"}}},
        {"ladder": {"half_life_hours": 0}},
        {"ladder": {"mute_minutes": [10, 60, 10**9]}},
        {"ladder": {"scores": [1, 2, 3]}},
        {"ladder": {"scores": [1, 2, 4, 6, float("inf")]}},
        {"ladder": {"weights": {"ads": float("nan")}}},
        {"qota": {"per_day": 5}},
    ],
)
def test_rules_that_nobody_can_mean_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rules(**rules)


def test_a_domain_is_written_alone_in_any_script() -> None:
    rules = Rules.model_validate({"links": {"allowed_domains": ["银行.中国", " Bank.Example.com "]}})
    assert rules.links is not None
    assert rules.links.allowed_domains == ("银行.中国", "bank.example.com")
    with pytest.raises(ValueError, match="without https://"):
        Rules.model_validate({"links": {"allowed_domains": ["https://bank.example.com/"]}})
