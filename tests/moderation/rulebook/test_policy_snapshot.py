"""Which policy each group is judged by, of those in force at one moment."""

from dataclasses import replace

from huiqun.contracts.channel import GroupKind
from huiqun.contracts.moderation import Verdict
from moderation.groups.model import GroupSettings, OwnRules
from moderation.policies.model import BUILT_IN_POLICY, Policy, PolicyVersion
from moderation.policies.sections.rules import Rules
from moderation.rulebook.model import PolicySnapshot

VERSIONS = {
    "default": PolicyVersion("default", 2, {"quota": {"per_day": 4}}),
    "vip": PolicyVersion("vip", 3, {"links": None}),
}
DEFAULT = Policy("default", 3, Rules())
STRICT = Policy("strict", 1, Rules())


def test_a_group_has_its_own_policy_else_the_default_else_the_built_in_one() -> None:
    own, none = GroupSettings(policy_id="strict"), GroupSettings()
    assert PolicySnapshot({"default": DEFAULT, "strict": STRICT}, {}).policy_of(own) is STRICT
    assert PolicySnapshot({"default": DEFAULT, "strict": STRICT}, {}).policy_of(none) is DEFAULT
    assert PolicySnapshot({"default": DEFAULT}, {}).policy_of(own) is DEFAULT
    assert PolicySnapshot({}, {}).policy_of(own) is BUILT_IN_POLICY


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


def test_a_group_is_judged_by_default_policy_and_its_own_rules_together() -> None:
    own = OwnRules("g1", 2, {"quota": {"verdict": "block"}})
    groups = {"g1": GroupSettings(policy_id="vip", own=own), "g2": GroupSettings(policy_id="vip")}
    policies = PolicySnapshot.compose(VERSIONS, groups)
    first, second, other = (policies.policy_of(policies.settings_of(group)) for group in ("g1", "g2", "g3"))
    assert [policy.label for policy in (first, second, other)] == ["vip@3+d2+g2", "vip@3+d2", "default@2"]
    assert [policy.rules.links is None for policy in (first, second, other)] == [True, True, False]
    assert [policy.rules.quota.per_day for policy in (first, second, other) if policy.rules.quota] == [4, 4, 4]
    assert first.rules.quota is not None
    assert first.rules.quota.verdict is Verdict.BLOCK


def test_own_policies_are_kept_until_they_or_what_they_inherit_change() -> None:
    own = OwnRules("g1", 1, {"quota": {"per_day": 9}})
    groups = {"g1": GroupSettings(own=own), "g2": GroupSettings()}
    before = PolicySnapshot.compose(VERSIONS, groups)
    after = PolicySnapshot.compose(VERSIONS, {**groups, "g3": GroupSettings()}, before)
    assert after.own["g1"] is before.own["g1"]
    changed = PolicySnapshot.compose(
        {**VERSIONS, "default": PolicyVersion("default", 3, {"links": None})}, groups, after
    )
    assert changed.own["g1"].rules.links is None
    moved = PolicySnapshot.compose(VERSIONS, {"g1": GroupSettings(policy_id="vip", own=own)}, before)
    assert moved.own["g1"].label == "vip@3+d2+g1"
