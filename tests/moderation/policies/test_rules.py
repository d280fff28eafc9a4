"""What the rules of a policy mean, and what speaks against some."""

from dataclasses import replace
from datetime import time
from typing import Any

import hypothesis.strategies as st
import pytest
from pydantic import ValidationError

from huiqun.contracts.channel import GroupKind
from moderation.groups.model import GroupSettings, OwnRules
from moderation.policies.model import BUILT_IN_POLICY, Policy, PolicyVersion
from moderation.policies.sections.message_rules import QuietHours
from moderation.policies.sections.rules import Rules
from moderation.rulebook.model import PolicySnapshot
from moderation.screening.model.contacts import find_links, outside

TIMES = st.times()
DEFAULT = Policy("default", 3, Rules())
STRICT = Policy("strict", 1, Rules())


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


def test_a_group_has_its_own_policy_else_the_default_else_the_built_in_one() -> None:
    own, none = GroupSettings(policy_id="strict"), GroupSettings()
    assert PolicySnapshot({"default": DEFAULT, "strict": STRICT}, {}).policy_of(own) is STRICT
    assert PolicySnapshot({"default": DEFAULT, "strict": STRICT}, {}).policy_of(none) is DEFAULT
    assert PolicySnapshot({"default": DEFAULT}, {}).policy_of(own) is DEFAULT
    assert PolicySnapshot({}, {}).policy_of(own) is BUILT_IN_POLICY


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
    assert (outside(find_links(f"请看 {link} 谢谢"), ("bank.example.com",)) == []) is allowed


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


def test_in_a_private_group_there_is_no_quota_and_nobody_is_welcomed_and_all_else_holds() -> None:
    said = {"quota": {"per_day": 1}, "length": {"max_characters": 9}}
    vip = PolicyVersion("vip", 1, {**said, "membership": {"welcome": {}, "posting": {}, "consent": {}, "patrol": {}}})
    private = GroupSettings("vip", GroupKind.PRIVATE)
    own = replace(private, own=OwnRules("g2", 1, {"quota": {"per_day": 5}}))
    policies = PolicySnapshot.compose({"vip": vip}, {"g1": private, "g2": own})
    for settings, label in ((private, "vip@1+p"), (own, "vip@1+g1+p")):
        policy = policies.policy_of(settings)
        assert (policy.label, policy.rules.quota, policy.rules.membership.welcome) == (label, None, None)
        assert (policy.rules.membership.posting, policy.rules.membership.consent) == (None, None)
        assert policy.rules.membership.patrol is not None
        assert policy.rules.length is not None
    assert policies.policy_of(GroupSettings("vip")).rules.quota is not None
    assert policies.policy_of(GroupSettings("unknown", GroupKind.PRIVATE)).label == "default@0+p"


def test_a_group_that_becomes_private_has_other_rules_of_its_own() -> None:
    group = GroupSettings(own=OwnRules("g1", 1, {"quota": {"per_day": 5}}))
    before = PolicySnapshot.compose({}, {"g1": group})
    after = PolicySnapshot.compose({}, {"g1": replace(group, kind=GroupKind.PRIVATE)}, before)
    assert after.policy_of(after.settings_of("g1")).rules.quota is None
