"""A version tried over the archive finds again what was found, and exactly what it adds and loses."""

import random
from datetime import timedelta
from typing import Any

import pytest

from huiqun.contracts.channel import MessageKind, Role
from huiqun.runtime.ids import new_id
from huiqun.tasks.model import TaskCancelledError
from huiqun.testing.events import message_edited
from moderation.backtest.handlers import run_backtest
from moderation.backtest.model import RequestBacktestCommand
from moderation.groups.model import GroupSettings, OwnRules
from moderation.lexicon.matching.matcher import Lexicon
from moderation.lexicon.matching.words import Word
from moderation.policies.handlers import write_policy_version
from moderation.policies.model import Policy, PolicyNotFoundError, PolicyVersion
from moderation.policies.sections.rules import Rules
from moderation.rulebook.model import PolicySnapshot, Rulebook
from tests.moderation.rig import BITS, MONDAY, WORDS, ModerationRig

DAY = timedelta(days=1)


async def try_rules(rig: ModerationRig, rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The report on these rules over what was said in the group."""
    policy_id = f"p-{new_id()}"
    draft = Rules.model_validate(rules)
    await rig.run(lambda work: write_policy_version(work, policy_id, draft, "", "author"))
    wanted: dict[str, Any] = {"since": MONDAY, "until": MONDAY + 30 * DAY, "groups": (rig.group,), **changes}
    return await run_backtest(rig.reader, rig.current(), RequestBacktestCommand(policy_id, 1, **wanted), go_on)


async def go_on(_done: int, _total: int) -> None:
    """Let the trial go on."""


def hits(report: dict[str, Any]) -> dict[str, tuple[int, int, int, int]]:
    """By rule and category: before, after, added, lost."""
    return {
        f"{row['rule']}/{row['category']}": (row["before"], row["after"], row["added"], row["lost"])
        for row in report["rules"]
    }


def verdicts(report: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["before"], row["after"]): row["messages"] for row in report["verdicts"]}


STRICT: dict[str, Any] = {
    "quota": {"per_day": 6},
    "length": {"max_characters": 30},
    "flood": {"messages": 4, "seconds": 10},
    "duplicate": {"times": 2, "min_characters": 3},
    "probation": {"hours": 1, "messages": 2},
    "quiet_hours": {"start": "20:00", "end": "21:00"},
    "kinds": {"forbidden": ["card"]},
}
SAID = (
    *("请问几点开门", "好的", "一起刷单", "有内幕消息", "谢谢谢谢", "刷", "单", "刷 单", "这个保本"),
    *("我的电话13812345678", "身份证11010519491231002X", "加我微信13912345678", "看 https://evil.example.top/a"),
    *(
        "【总行公告】明日停业",
        "一段" + "很长" * 15 + "的话",
        "13712345678 刷单",
    ),
)


async def chatter(rig: ModerationRig, count: int) -> None:
    """Some members talk for days, a little of everything, and change what they said."""
    chance = random.Random(4)
    for number in range(count):
        member, text = f"u{chance.randrange(4)}", chance.choice(SAID)
        role = Role.STAFF if chance.random() < 0.1 else Role.CUSTOMER
        event = rig.message(text, member if role is Role.CUSTOMER else "staff-1", role=role)
        if number % 9 == 0:
            card = {"url": f"https://shop.example.top/{number}", "kind": MessageKind.CARD}
            event = event.model_copy(update={"data": event.data.model_copy(update=card)})
        await rig.deliver(event)
        rig.clock.moment += timedelta(seconds=chance.choice((0, 0, 1, 600, 9_000)))
        if number % 11 == 0:
            await rig.deliver(message_edited(event, chance.choice(SAID), time=rig.clock.moment))


async def test_the_rules_that_were_in_force_find_again_what_they_found(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate(STRICT))
    await chatter(rig, 150)
    report = await try_rules(rig, STRICT)
    assert (report["added"], report["lost"], report["changed"]) == (0, 0, 0), report["rules"]
    assert report["messages"] == len(await rig.documents("messages"))
    found = hits(report)
    assert all(before == after > 0 for before, after, _, _ in found.values())
    assert {name.partition("/")[0] for name in found} >= set(STRICT) - {"kinds"} | {
        *("lexicon", "links", "contacts", "personal_data", "announcements", "staff", "kinds")
    }


async def test_in_the_middle_of_a_day_what_was_said_before_still_counts(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate(STRICT))
    await chatter(rig, 120)
    middle = MONDAY + (rig.clock.moment - MONDAY) / 2
    report = await try_rules(rig, STRICT, since=middle)
    assert (report["added"], report["lost"], report["changed"]) == (0, 0, 0), report["rules"]
    assert 0 < report["messages"] < len(await rig.documents("messages"))


async def test_a_new_rule_adds_exactly_the_messages_that_it_hits(rig: ModerationRig) -> None:
    short, long, _ = [
        event.data for text in ("短", "一句相当长的话在这里", "不长") for event in await rig.say_all(text)
    ]
    report = await try_rules(rig, {"length": {"max_characters": 5}})
    assert hits(report) == {"length/length": (0, 1, 1, 0)}
    (row,) = report["rules"]
    assert [sample["message_id"] for sample in row["added_samples"]] == [long.message_id]
    assert row["lost_samples"] == []
    assert verdicts(report) == {("allow", "allow"): 2, ("allow", "warn"): 1}
    assert short.message_id not in str(report)


async def test_a_new_word_adds_and_a_rule_switched_off_loses_its_hits(rig: ModerationRig) -> None:
    await rig.say_all("一起刷单", "有内幕消息", "招代理", "你好")
    words = [*WORDS, Word("w9", "代理", "ads", 2)]
    bits = {**BITS, "ads": 8}
    lexicon = Lexicon(words, [bits[word.category] for word in words])
    rig.rulebook = Rulebook(rig.current().policies, lexicon, "v2", bits)
    report = await try_rules(rig, {"lexicon": {"categories": {"fraud": None, "rumour": "warn"}}})
    assert hits(report) == {
        "lexicon/ads": (0, 1, 1, 0),
        "lexicon/fraud": (1, 0, 0, 1),
        "lexicon/rumour": (1, 1, 0, 0),
    }
    assert verdicts(report) == {
        ("allow", "allow"): 1,
        ("allow", "block"): 1,
        ("block", "allow"): 1,
        ("review", "warn"): 1,
    }
    assert report["lexicon"] == "v2"
    samples = {row["category"]: row["added_samples"] + row["lost_samples"] for row in report["rules"]}
    assert [sample["text"] for sample in samples["ads"]] == ["招代理"]
    assert [sample["text"] for sample in samples["fraud"]] == ["一起刷单"]


async def test_a_rule_put_on_trial_keeps_its_hits_and_gives_up_its_verdicts(rig: ModerationRig) -> None:
    await rig.say_all("一起刷单")
    report = await try_rules(rig, {"lexicon": {"shadow": True}})
    assert hits(report) == {"lexicon/fraud": (1, 1, 0, 0)}
    assert verdicts(report) == {("block", "allow"): 1}


async def test_the_classifier_is_asked_again_under_the_version_that_is_tried(rig: ModerationRig) -> None:
    await rig.say_all("你他妈就是个废物垃圾", "谢谢你的解答")
    switched_on = {"classifier": {"threshold": 0.8}}
    assert hits(await try_rules(rig, switched_on)) == {"classifier/abuse": (0, 1, 1, 0)}
    rig.govern(Rules.model_validate(switched_on))
    await rig.say_all("你他妈就是个废物垃圾", "谢谢你的解答")
    assert hits(await try_rules(rig, {})) == {"classifier/abuse": (1, 0, 0, 1)}


async def test_masked_personal_data_is_carried_over_under_the_new_verdict(rig: ModerationRig) -> None:
    await rig.say_all("我的身份证11010519491231002X")
    kept = await try_rules(rig, {"personal_data": {"verdict": "review"}})
    assert hits(kept) == {"personal_data/id_card": (1, 1, 0, 0)}
    assert verdicts(kept) == {("block", "review"): 1}
    gone = await try_rules(rig, {"personal_data": None})
    assert hits(gone) == {"personal_data/id_card": (1, 0, 0, 1)}
    assert "11010519491231002X" not in str(gone)


async def test_of_very_many_new_hits_twenty_are_shown_and_the_same_ones_every_time(rig: ModerationRig) -> None:
    await rig.say_all(*(f"第{number}个问题在这里" for number in range(60)), member="u1")
    first = await try_rules(rig, {"length": {"max_characters": 5}})
    second = await try_rules(rig, {"length": {"max_characters": 5}})
    (row,) = [row for row in first["rules"] if row["rule"] == "length"]
    assert (row["added"], len(row["added_samples"])) == (60, 20)
    assert first["rules"] == second["rules"]
    assert {sample["text"] for sample in row["added_samples"]} - {f"第{number}个问题在这里" for number in range(20)}


async def test_a_limit_is_kept_and_the_period_is_open_at_its_end(rig: ModerationRig) -> None:
    await rig.say_all("一", "二", "三")
    await rig.run_due(timedelta(hours=1))
    await rig.say_all("四")
    assert (await try_rules(rig, {}, limit=2))["messages"] == 2
    assert (await try_rules(rig, {}, until=MONDAY + timedelta(hours=1)))["messages"] == 3
    assert (await try_rules(rig, {}, since=MONDAY + timedelta(hours=1)))["messages"] == 1
    assert (await try_rules(rig, {}, since=MONDAY + DAY, until=MONDAY + 2 * DAY))["messages"] == 0


async def test_a_named_policy_is_tried_where_it_is_assigned_and_the_default_everywhere(rig: ModerationRig) -> None:
    await rig.say_all("一起刷单")
    policy_id = f"p-{new_id()}"
    await rig.run(lambda work: write_policy_version(work, policy_id, Rules.model_validate({"quota": {}}), "", "author"))
    command = RequestBacktestCommand(policy_id, 1, MONDAY, MONDAY + DAY)
    assert (await run_backtest(rig.reader, rig.current(), command, go_on))["messages"] == 0
    under = PolicySnapshot.compose(
        {policy_id: PolicyVersion(policy_id, 0, {})}, {rig.group: GroupSettings(policy_id=policy_id)}
    )
    rig.rulebook = Rulebook(under, rig.current().lexicon, "v1", BITS)
    assert (await run_backtest(rig.reader, rig.current(), command, go_on))["messages"] == 1
    everywhere = RequestBacktestCommand("default", 0, MONDAY, MONDAY + DAY)
    assert (await run_backtest(rig.reader, rig.current(), everywhere, go_on))["messages"] > 0


async def test_own_rules_of_a_group_stand_above_the_version_that_is_tried(rig: ModerationRig) -> None:
    await rig.say_all("一起刷单")
    own = OwnRules(rig.group, 1, {"lexicon": None})
    settings = GroupSettings(own=own)
    policies = PolicySnapshot({}, {rig.group: settings}, {rig.group: Policy("default", 0, Rules(lexicon=None), own)})
    rig.rulebook = Rulebook(policies, rig.current().lexicon, "v1", BITS)
    report = await try_rules(rig, {"lexicon": {"categories": {"fraud": "block"}}})
    assert hits(report) == {"lexicon/fraud": (1, 0, 0, 1)}


async def test_what_is_not_there_is_not_tried_and_who_says_stop_is_heard(rig: ModerationRig) -> None:
    await rig.say_all("你好")
    with pytest.raises(PolicyNotFoundError):
        await run_backtest(
            rig.reader, rig.current(), RequestBacktestCommand("nobody-wrote-this", 1, MONDAY, MONDAY + DAY), go_on
        )

    async def stop(_done: int, _total: int) -> None:
        raise TaskCancelledError("called off")

    with pytest.raises(TaskCancelledError):
        await run_backtest(rig.reader, rig.current(), RequestBacktestCommand("default", 0, MONDAY, MONDAY + DAY), stop)
