"""The rules are posted when they change and when it is time, in each group once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from huiqun.contracts.channel import GroupDismissal, GroupDismissed
from moderation.policies.model import MembershipRules, PostingRule
from tests.moderation.membership.people import created
from tests.moderation.rig import MONDAY, ModerationRig

RULES = "1. 文明交流。"
MONDAYS_AT_TEN = {"schedule": "0 10 * * MON", "on_change": False}


def posts(rig: ModerationRig) -> list[tuple[str, datetime | None]]:
    """The groups in which rules were posted, with the deadlines, which are twelve hours later."""
    return [(action.record_key, action.deadline) for action in rig.actions() if action.reason == "rules"]


async def test_changed_rules_are_posted_once_in_each_group_of_the_policy(rig: ModerationRig) -> None:
    await rig.deliver(created("g1"), created("g2"))
    await rig.write_policy("strict", rules_text=RULES, posting={})
    assert posts(rig) == []
    await rig.assign("g2", "strict")
    assert [group for group, _ in posts(rig)] == ["g2"]
    await rig.write_policy("strict", rules_text=RULES, posting={}, welcome={})
    assert len(posts(rig)) == 1
    await rig.write_policy("strict", rules_text=RULES + "\n2. 不发广告。", posting={})
    assert [group for group, _ in posts(rig)] == ["g2", "g2"]
    assert rig.said()[-1] == "群规已更新，请各位成员阅读并遵守。\n\n【群规】\n1. 文明交流。\n2. 不发广告。"


async def test_a_new_group_gets_its_rules_with_the_welcome_not_as_news(rig: ModerationRig) -> None:
    await rig.write_policy(rules_text=RULES, posting={})
    await rig.deliver(created("g1"))
    await rig.run_due(timedelta(hours=1))
    assert posts(rig) == []


async def test_more_groups_than_a_page_holds_are_all_told(rig: ModerationRig) -> None:
    await rig.deliver(*(created(f"g{number:03}") for number in range(205)))
    await rig.run_due()
    await rig.write_policy(rules_text=RULES, posting={})
    assert sorted(group for group, _ in posts(rig)) == [f"g{number:03}" for number in range(205)]


async def test_rules_are_posted_on_schedule_in_the_time_zone_of_each_group(rig: ModerationRig) -> None:
    await rig.deliver(created("shanghai"), created("london", timezone="Europe/London"))
    await rig.write_policy(rules_text=RULES, posting=MONDAYS_AT_TEN)
    await rig.run_due(timedelta(days=15))
    times = [(group, due - timedelta(hours=12)) for group, due in posts(rig) if due is not None]
    assert times == [
        ("london", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("shanghai", datetime(2026, 11, 30, 2, tzinfo=UTC)),
        ("london", datetime(2026, 11, 30, 10, tzinfo=UTC)),
        ("shanghai", datetime(2026, 12, 7, 2, tzinfo=UTC)),
        ("london", datetime(2026, 12, 7, 10, tzinfo=UTC)),
    ]


async def test_many_replicas_post_once(rig: ModerationRig) -> None:
    await rig.deliver(*(created(f"g{number}") for number in range(5)))
    await rig.write_policy(rules_text=RULES, posting=MONDAYS_AT_TEN)
    rig.clock.moment = MONDAY + timedelta(days=7)

    async def replica() -> None:
        while await rig.run_task():
            pass

    await asyncio.gather(*(replica() for _ in range(4)))
    assert sorted(group for group, _ in posts(rig)) == [f"g{number}" for number in range(5)]


async def test_after_downtime_the_missed_times_are_made_up_for_once(rig: ModerationRig) -> None:
    await rig.deliver(created())
    await rig.write_policy(rules_text=RULES, posting=MONDAYS_AT_TEN)
    rig.clock.moment = MONDAY + timedelta(days=30)
    await rig.run_due()
    assert len(posts(rig)) == 1
    await rig.run_due(timedelta(days=7))
    assert len(posts(rig)) == 2


async def test_a_time_that_is_due_is_not_moved_on_by_another_change_of_the_policy(rig: ModerationRig) -> None:
    await rig.deliver(created())
    await rig.write_policy(rules_text=RULES, posting=MONDAYS_AT_TEN)
    rig.clock.moment = MONDAY + timedelta(days=7)
    await rig.write_policy(rules_text=RULES, posting=MONDAYS_AT_TEN, welcome={})
    assert len(posts(rig)) == 1


async def test_a_schedule_ends_with_the_policy_that_had_it_and_with_the_group(rig: ModerationRig) -> None:
    await rig.deliver(created("g1"), created("g2"))
    await rig.write_policy(rules_text=RULES, posting=MONDAYS_AT_TEN)
    await rig.write_policy("quiet", posting=None)
    await rig.assign("g1", "quiet")
    gone = GroupDismissal(group_id="g2")
    await rig.deliver(GroupDismissed.create("g2", gone, time=MONDAY))
    await rig.run_due(timedelta(days=30))
    assert posts(rig) == []
    assert await rig.documents("tasks") == []


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        ("* * * * *", "more than once an hour"),
        ("0 10 * *", "five fields"),
        ("0 25 * * *", "not a cron expression"),
        ("0 0 31 2 *", "not a cron expression"),
        ("MON MON MON MON MON", "not a cron expression"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_with_the_reason(schedule: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PostingRule(schedule=schedule)


@pytest.mark.parametrize("text", ["{name.__class__}", "{0}", "{name!r}", "{unknown}", "{", "{name:>10}"])
def test_a_text_with_fields_that_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        MembershipRules.model_validate({"welcome": {"text": text}})


def test_braces_can_be_written_in_a_text() -> None:
    assert MembershipRules.model_validate({"welcome": {"text": "{{欢迎}} {name}"}}).welcome is not None
