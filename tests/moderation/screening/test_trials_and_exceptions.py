"""Rules on trial, and members whom a rule does not bind: recorded as it was, and nothing follows."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from huiqun.contracts.channel import ActionKind, Role
from huiqun.contracts.moderation import Verdict
from moderation.groups.model import RuleException
from moderation.policies.sections.rules import Rules
from moderation.rulebook.model import PolicySnapshot, Rulebook, add_exceptions
from tests.moderation.rig import ModerationRig


def tried(rule: str) -> float:
    """How often a rule on trial has spoken in this process."""
    return REGISTRY.get_sample_value("huiqun_moderation_shadow_findings_total", {"rule": rule}) or 0.0


def except_from(rig: ModerationRig, rule: str, member: str | None, **span: float) -> None:
    """Grant an exception that ends after this span."""
    exception = RuleException(rule, member, rig.clock.moment + timedelta(**span))
    known = rig.current()
    groups = add_exceptions(known.policies.groups, {rig.group: (exception,)})
    policies = PolicySnapshot(known.policies.active, groups)
    rig.rulebook = Rulebook(policies, known.lexicon, known.lexicon_version, known.bits)


async def test_a_rule_on_trial_is_recorded_and_counted_and_nothing_follows(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"lexicon": {"shadow": True}}))
    before = tried("lexicon")
    await rig.say_all("一起刷单")
    (screened,) = rig.screened
    assert screened.verdict is Verdict.ALLOW
    assert [(reason.rule, reason.category, reason.shadow) for reason in screened.reasons] == [
        ("lexicon", "fraud", True)
    ]
    (archived,) = await rig.documents("messages")
    assert (archived["verdict"], archived["reasons"][0]["shadow"]) == ("allow", True)
    assert rig.actions() == []
    (standing,) = await rig.documents("standings")
    assert "strikes" not in standing
    assert tried("lexicon") == before + 1


async def test_one_category_can_be_on_trial_beside_others_that_are_not(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"lexicon": {"shadow_categories": ["fraud"]}}))
    await rig.say_all("一起刷单", "有内幕消息", "内幕消息在此，刷单也来")
    assert [screened.verdict for screened in rig.screened] == [Verdict.ALLOW, Verdict.REVIEW, Verdict.REVIEW]
    assert {(reason.category, reason.shadow) for reason in rig.screened[2].reasons} == {
        ("fraud", True),
        ("rumour", False),
    }
    assert rig.sanctions == []


async def test_a_counting_rule_on_trial_counts_and_does_not_warn(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"quota": {"per_day": 1, "shadow": True}}))
    await rig.say_all("你好", "在吗")
    assert [screened.verdict for screened in rig.screened] == [Verdict.ALLOW] * 2
    assert [[reason.shadow for reason in screened.reasons] for screened in rig.screened] == [[], [True]]
    assert rig.actions() == []


async def test_what_staff_say_is_found_by_the_rule_for_staff(rig: ModerationRig) -> None:
    await rig.say_all("这个保本", member="staff-9", role=Role.STAFF)
    (screened,) = rig.screened
    assert [(reason.rule, reason.category) for reason in screened.reasons] == [("staff", "promise")]
    assert screened.verdict is Verdict.REVIEW


async def test_a_rule_for_staff_can_be_on_trial_too(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"staff": {"shadow": True}}))
    await rig.say_all("这个保本", member="staff-9", role=Role.STAFF)
    (screened,) = rig.screened
    assert (screened.verdict, screened.reasons[0].shadow) == (Verdict.ALLOW, True)
    assert rig.actions() == []


async def test_an_exception_lets_its_member_do_what_others_may_not(rig: ModerationRig) -> None:
    except_from(rig, "lexicon", "u1", hours=1)
    await rig.say_all("一起刷单", member="u1")
    await rig.say_all("一起刷单", member="u2")
    assert [screened.verdict for screened in rig.screened] == [Verdict.ALLOW, Verdict.BLOCK]
    assert rig.screened[0].reasons == ()
    assert {action.target.member_id for action in rig.actions(ActionKind.DELETE_MESSAGE)} == {"u2"}


async def test_an_exception_is_from_one_rule_or_one_category_of_it(rig: ModerationRig) -> None:
    except_from(rig, "lexicon/fraud", None, hours=1)
    await rig.say_all("一起刷单", "有内幕消息")
    assert [screened.verdict for screened in rig.screened] == [Verdict.ALLOW, Verdict.REVIEW]


@pytest.mark.parametrize(("minutes", "verdict"), [(59, Verdict.ALLOW), (60, Verdict.BLOCK), (61, Verdict.BLOCK)])
async def test_an_exception_ends_when_it_ends_by_the_time_of_the_message(
    rig: ModerationRig, minutes: int, verdict: Verdict
) -> None:
    except_from(rig, "lexicon", "u1", hours=1)
    rig.clock.moment += timedelta(minutes=minutes)
    await rig.say_all("一起刷单")
    assert rig.screened[0].verdict is verdict


async def test_an_exception_from_the_quota_still_counts_the_messages(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"quota": {"per_day": 1, "verdict": "block"}}))
    except_from(rig, "quota", "u1", minutes=5)
    await rig.say_all("你好", "在吗")
    await rig.run_due(timedelta(minutes=5))
    await rig.say_all("还在吗")
    assert [screened.verdict for screened in rig.screened] == [Verdict.ALLOW, Verdict.ALLOW, Verdict.BLOCK]
