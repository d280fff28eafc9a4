"""A group is gone through on schedule and when asked, and its owner is told what happened and what waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

from huiqun.audit import verify_audit_log
from huiqun.contracts.moderation import Verdict
from moderation.cases.handlers.patrolling import go_now
from moderation.cases.model.patrol import Patrol
from moderation.policies.model import MembershipRules, PatrolRule, Rules
from tests.moderation.rig import BAD, DOUBTFUL, FINE, OWNER, ModerationRig

EVERY_HOUR = Rules(membership=MembershipRules(patrol=PatrolRule(schedule="0 * * * *")))
HALF_PAST = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
HOUR, MOMENT = timedelta(hours=1), timedelta(seconds=1)


async def go(rig: ModerationRig) -> Patrol:
    rig.clock.moment += MOMENT
    return await rig.run(lambda work: go_now(work, "g1", "key:anna"))


async def told(rig: ModerationRig) -> list[dict[str, Any]]:
    return await rig.documents("actions", reason="patrol")


async def test_a_patrol_says_what_was_judged_how_and_what_waits(rig: ModerationRig) -> None:
    for text in (FINE, BAD, DOUBTFUL):
        await rig.say(text)
    rig.clock.moment += timedelta(days=1)
    patrol = await rig.run(lambda work: go_now(work, "g1", "key:anna"))
    assert patrol.judged == {Verdict.ALLOW: 1, Verdict.BLOCK: 1, Verdict.REVIEW: 1}
    assert (patrol.waiting, patrol.overdue, patrol.open_actions) == (1, 1, 2)
    [task] = await told(rig)
    assert (task["kind"], task["assignee"]) == ("notify_staff", OWNER)
    for words in ("发言 3 条", "拦截 1 条", "待复核 1 条", "待处理案件 1 件，其中超时 1 件", "处置 2 项"):
        assert words in task["content"]
    assert (await verify_audit_log(rig.reader)).intact


async def test_the_next_patrol_goes_on_where_the_last_one_ended(rig: ModerationRig) -> None:
    await rig.say(FINE)
    first = await go(rig)
    await rig.say(FINE)
    second = await go(rig)
    assert (second.since, second.judged) == (first.at, {Verdict.ALLOW: 1})


async def test_where_there_is_nothing_to_see_to_nobody_is_told(rig: ModerationRig) -> None:
    await rig.say(FINE)
    assert not (await go(rig)).has_news
    assert await told(rig) == []


async def test_patrols_come_on_the_schedule_of_the_policy_until_it_has_none(rig: ModerationRig) -> None:
    rig.follows_actions = True
    rig.clock.moment = HALF_PAST
    await rig.set_rules(EVERY_HOUR)
    await rig.run_due()
    await rig.say(DOUBTFUL)
    await rig.run_due(HOUR)
    await rig.run_due(HOUR)
    assert len(await told(rig)) == 2
    await rig.set_rules(Rules())
    await rig.run_due(HOUR)
    assert len(await told(rig)) == 2
