"""Messages are kept for as long as the policy of their group says, and no longer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from huiqun.versions.model import ActivateVersionCommand
from huiqun.work import Work
from moderation.archive.model import first_day_without
from moderation.archive.store.messages import MESSAGES
from moderation.policies import handlers as policies
from moderation.policies.model import RetentionRule, Rules
from tests.moderation.archive.records import archive, archived, expiries, spread
from tests.moderation.membership.people import created
from tests.moderation.rig import MONDAY, ModerationRig


async def keep(rig: ModerationRig, days: int, policy_id: str = "default") -> None:
    """Put a policy in force that keeps messages for so many days."""
    rules = Rules(retention=RetentionRule(days=days))

    async def use_case(work: Work) -> None:
        version = await policies.write_version(work, policy_id, rules, "test", "tester")
        wish = ActivateVersionCommand(version.number, "another tester")
        await policies.activate_version(work, policy_id, wish, lambda _: None)

    await rig.run(use_case)
    await rig.keeper.refresh()


def days_of(found: Mapping[str, datetime | None]) -> set[int]:
    """For how many days after noon messages are kept."""
    return {(each - MONDAY).days for each in found.values() if each is not None}


def test_a_message_is_kept_for_whole_days_and_goes_at_midnight() -> None:
    assert first_day_without(MONDAY, 1) == datetime(2026, 11, 25, tzinfo=UTC)
    assert first_day_without(MONDAY.replace(hour=0), 1) == datetime(2026, 11, 25, tzinfo=UTC)
    assert first_day_without(MONDAY, 36_500).year == 2126


async def test_the_store_deletes_what_has_expired(rig: ModerationRig) -> None:
    indexes = await rig.database[MESSAGES].index_information()
    assert [index["expireAfterSeconds"] for index in indexes.values() if index["key"] == [("expires_on", 1)]] == [0]


async def test_a_message_is_archived_with_the_days_of_its_group_s_policy(rig: ModerationRig) -> None:
    await rig.deliver(created("g1"), created("g2"))
    await keep(rig, 30, "short")
    await rig.assign("g2", "short")
    await rig.say_all("你好", group="g1")
    await rig.say_all("你好", group="g2")
    assert days_of(await expiries(rig, group_id="g1")) == {365}
    assert days_of(await expiries(rig, group_id="g2")) == {30}


async def test_a_sender_s_clock_has_no_say_in_it(rig: ModerationRig) -> None:
    await archive(rig, spread(1, "g1", MONDAY - timedelta(days=4_000)))
    assert days_of(await expiries(rig)) == {365}


async def test_a_change_reaches_old_messages_batch_by_batch_and_survives_a_restart(rig: ModerationRig) -> None:
    await rig.deliver(created("g1"))
    await archive(rig, spread(4_500, "g1", MONDAY))
    await archive(rig, spread(3, "nobody-told-us-of", MONDAY))
    await keep(rig, 1_095)
    await rig.run_due(timedelta(minutes=2))  # another process would find the tasks just so
    assert days_of(await expiries(rig)) == {1_095}
    await keep(rig, 7)
    await rig.say_all("你好")
    assert days_of(await expiries(rig)) == {1_095, 7}
    await rig.run_due(timedelta(minutes=2))
    assert days_of(await expiries(rig)) == {7}


async def test_messages_are_looked_through_only_where_the_days_have_changed(rig: ModerationRig) -> None:
    await archive(rig, spread(3, "g1", MONDAY - timedelta(days=30)))
    await keep(rig, 30)
    await rig.run_due(timedelta(minutes=5))
    await rig.database[MESSAGES].update_many({}, {"$unset": {"expires_on": ""}})
    await keep(rig, 30)
    await rig.run_due(timedelta(minutes=5))
    assert set((await expiries(rig)).values()) == {None}


async def test_what_was_archived_by_a_policy_that_was_soon_replaced_is_set_right(rig: ModerationRig) -> None:
    await keep(rig, 30)
    await rig.say_all("你好")
    await rig.run_due(timedelta(minutes=5))
    await keep(rig, 7)
    await rig.say_all("再见")
    await keep(rig, 30)
    assert days_of(await expiries(rig)) == {30, 7}
    await rig.run_due(timedelta(minutes=5))
    assert days_of(await expiries(rig)) == {30}


async def test_many_changes_of_a_minute_are_one_walk(rig: ModerationRig) -> None:
    await archive(rig, spread(3, "g1", MONDAY))
    for days in (10, 20, 30):
        await keep(rig, days)
        await rig.run_due(timedelta(seconds=2))
    waiting = [task for task in await rig.documents("tasks") if task["kind"] == "archive.plan_retention"]
    assert len(waiting) == 1
    await rig.run_due(timedelta(minutes=2))
    assert days_of(await expiries(rig)) == {30}


async def test_nothing_of_a_message_changes_but_its_expiry(rig: ModerationRig) -> None:
    await rig.say_all("你好", "我的卡号 6222021001122334409")
    before = await archived(rig)
    await keep(rig, 30)
    await rig.run_due(timedelta(minutes=2))
    after = await archived(rig)
    assert [each.pop("expires_on") for each in before] != [each.pop("expires_on") for each in after]
    assert before == after
