"""A group is gone through on schedule and when asked, and its owner is told what happened and what waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

from huiqun.audit import verify
from huiqun.contracts.moderation import Verdict
from moderation.cases.handlers.patrolling import go_now
from moderation.cases.model.patrol import Patrol
from moderation.policies.model import MembershipRules, PatrolRule, Rules
from tests.moderation.desk import BAD, DOUBTFUL, FINE, OWNER, Desk

EVERY_HOUR = Rules(membership=MembershipRules(patrol=PatrolRule(schedule="0 * * * *")))
HALF_PAST = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
HOUR, MOMENT = timedelta(hours=1), timedelta(seconds=1)


async def go(desk: Desk) -> Patrol:
    desk.clock.moment += MOMENT
    return await desk.work(lambda work: go_now(work, "g1", "key:anna"))


async def told(desk: Desk) -> list[dict[str, Any]]:
    return await desk.actions(reason="patrol")


async def test_a_patrol_says_what_was_judged_how_and_what_waits(desk: Desk) -> None:
    for text in (FINE, BAD, DOUBTFUL):
        await desk.say(text)
    desk.clock.moment += timedelta(days=1)
    patrol = await desk.work(lambda work: go_now(work, "g1", "key:anna"))
    assert patrol.judged == {Verdict.ALLOW: 1, Verdict.BLOCK: 1, Verdict.REVIEW: 1}
    assert (patrol.waiting, patrol.overdue, patrol.open_actions) == (1, 1, 2)
    [task] = await told(desk)
    assert (task["kind"], task["assignee"]) == ("notify_staff", OWNER)
    for words in ("发言 3 条", "拦截 1 条", "待复核 1 条", "待处理案件 1 件，其中超时 1 件", "处置 2 项"):
        assert words in task["content"]
    assert (await verify(desk.inlet.reader)).intact


async def test_the_next_patrol_goes_on_where_the_last_one_ended(desk: Desk) -> None:
    await desk.say(FINE)
    first = await go(desk)
    await desk.say(FINE)
    second = await go(desk)
    assert (second.since, second.judged) == (first.at, {Verdict.ALLOW: 1})


async def test_where_there_is_nothing_to_see_to_nobody_is_told(desk: Desk) -> None:
    await desk.say(FINE)
    assert not (await go(desk)).has_news
    assert await told(desk) == []


async def test_patrols_come_on_the_schedule_of_the_policy_until_it_has_none(desk: Desk) -> None:
    desk.clock.moment = HALF_PAST
    await desk.set_rules(EVERY_HOUR)
    await desk.pass_time(timedelta())
    await desk.say(DOUBTFUL)
    await desk.pass_time(HOUR)
    await desk.pass_time(HOUR)
    assert len(await told(desk)) == 2
    await desk.set_rules(Rules())
    await desk.pass_time(HOUR)
    assert len(await told(desk)) == 2
