"""Rules on trial, and members whom a rule does not bind: recorded as it was, and nothing follows."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from huiqun.contracts.channel import ActionKind, Role
from huiqun.contracts.moderation import Verdict
from moderation.policies.model import Policies, RuleException, Rules, with_exceptions
from moderation.rulebook.model import Rulebook
from tests.moderation.bench import Bench


def tried(rule: str) -> float:
    """How often a rule on trial has spoken in this process."""
    return REGISTRY.get_sample_value("huiqun_moderation_shadow_findings_total", {"rule": rule}) or 0.0


def except_from(bench: Bench, rule: str, member: str | None, **span: float) -> None:
    """Grant an exception that ends after this span."""
    exception = RuleException(rule, member, bench.clock.now() + timedelta(**span))
    known = bench.rulebook
    groups = with_exceptions(known.policies.groups, {bench.group: (exception,)})
    policies = Policies(known.policies.active, groups)
    bench.rulebook = Rulebook(policies, known.lexicon, known.lexicon_version, known.bits)


async def test_a_rule_on_trial_is_recorded_and_counted_and_nothing_follows(bench: Bench) -> None:
    bench.govern(Rules.model_validate({"lexicon": {"shadow": True}}))
    before = tried("lexicon")
    await bench.say("一起刷单")
    (screened,) = bench.screened
    assert screened.verdict is Verdict.ALLOW
    assert [(reason.rule, reason.category, reason.shadow) for reason in screened.reasons] == [
        ("lexicon", "fraud", True)
    ]
    (archived,) = await bench.documents("messages")
    assert (archived["verdict"], archived["reasons"][0]["shadow"]) == ("allow", True)
    assert bench.actions() == []
    (standing,) = await bench.documents("standings")
    assert "strikes" not in standing
    assert tried("lexicon") == before + 1


async def test_one_category_can_be_on_trial_beside_others_that_are_not(bench: Bench) -> None:
    bench.govern(Rules.model_validate({"lexicon": {"shadow_categories": ["fraud"]}}))
    await bench.say("一起刷单", "有内幕消息", "内幕消息在此，刷单也来")
    assert [screened.verdict for screened in bench.screened] == [Verdict.ALLOW, Verdict.REVIEW, Verdict.REVIEW]
    assert {(reason.category, reason.shadow) for reason in bench.screened[2].reasons} == {
        ("fraud", True),
        ("rumour", False),
    }
    assert bench.sanctions == []


async def test_a_counting_rule_on_trial_counts_and_does_not_warn(bench: Bench) -> None:
    bench.govern(Rules.model_validate({"quota": {"per_day": 1, "shadow": True}}))
    await bench.say("你好", "在吗")
    assert [screened.verdict for screened in bench.screened] == [Verdict.ALLOW] * 2
    assert [[reason.shadow for reason in screened.reasons] for screened in bench.screened] == [[], [True]]
    assert bench.actions() == []


async def test_what_staff_say_is_found_by_the_rule_for_staff(bench: Bench) -> None:
    await bench.say("这个保本", member="staff-9", role=Role.STAFF)
    (screened,) = bench.screened
    assert [(reason.rule, reason.category) for reason in screened.reasons] == [("staff", "promise")]
    assert screened.verdict is Verdict.REVIEW


async def test_a_rule_for_staff_can_be_on_trial_too(bench: Bench) -> None:
    bench.govern(Rules.model_validate({"staff": {"shadow": True}}))
    await bench.say("这个保本", member="staff-9", role=Role.STAFF)
    (screened,) = bench.screened
    assert (screened.verdict, screened.reasons[0].shadow) == (Verdict.ALLOW, True)
    assert bench.actions() == []


async def test_an_exception_lets_its_member_do_what_others_may_not(bench: Bench) -> None:
    except_from(bench, "lexicon", "u1", hours=1)
    await bench.say("一起刷单", member="u1")
    await bench.say("一起刷单", member="u2")
    assert [screened.verdict for screened in bench.screened] == [Verdict.ALLOW, Verdict.BLOCK]
    assert bench.screened[0].reasons == ()
    assert {action.target.member_id for action in bench.actions(ActionKind.DELETE_MESSAGE)} == {"u2"}


async def test_an_exception_is_from_one_rule_or_one_category_of_it(bench: Bench) -> None:
    except_from(bench, "lexicon/fraud", None, hours=1)
    await bench.say("一起刷单", "有内幕消息")
    assert [screened.verdict for screened in bench.screened] == [Verdict.ALLOW, Verdict.REVIEW]


@pytest.mark.parametrize(("minutes", "verdict"), [(59, Verdict.ALLOW), (60, Verdict.BLOCK), (61, Verdict.BLOCK)])
async def test_an_exception_ends_when_it_ends_by_the_time_of_the_message(
    bench: Bench, minutes: int, verdict: Verdict
) -> None:
    except_from(bench, "lexicon", "u1", hours=1)
    bench.clock.moment += timedelta(minutes=minutes)
    await bench.say("一起刷单")
    assert bench.screened[0].verdict is verdict


async def test_an_exception_from_the_quota_still_counts_the_messages(bench: Bench) -> None:
    bench.govern(Rules.model_validate({"quota": {"per_day": 1, "verdict": "block"}}))
    except_from(bench, "quota", "u1", minutes=5)
    await bench.say("你好", "在吗")
    await bench.pass_time(minutes=5)
    await bench.say("还在吗")
    assert [screened.verdict for screened in bench.screened] == [Verdict.ALLOW, Verdict.ALLOW, Verdict.BLOCK]
