"""Whatever is placed, lifted, said and changed: a message under a hold has no expiry, any other has its policy's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from moderation.archive.handlers.holds import HoldOrder, lift_hold, place_hold
from moderation.archive.model import Hold, first_day_without
from tests.moderation.archive.records import archived
from tests.moderation.archive.test_retention import keep
from tests.moderation.rig import MONDAY, ModerationRig

GROUPS, MEMBERS = ("g1", "g2", "g3"), ("u1", "u2")
MOMENTS = st.none() | st.integers(-30, 200).map(lambda seconds: MONDAY + timedelta(seconds=seconds))
Step = tuple[str, Any]
STEPS = st.one_of(
    st.tuples(st.just("say"), st.tuples(st.sampled_from(GROUPS), st.sampled_from(MEMBERS))),
    st.tuples(
        st.just("place"),
        st.tuples(st.sets(st.sampled_from(GROUPS)), st.sets(st.sampled_from(MEMBERS)), MOMENTS, MOMENTS),
    ),
    st.tuples(st.just("lift"), st.integers(0, 5)),
    st.tuples(st.just("keep"), st.sampled_from([7, 365, 1_000])),
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(st.just("task"), st.none()),
)


@dataclass
class Model:
    """What ought to be: the open holds and the days."""

    rig: ModerationRig
    days: int = 365
    open: list[Hold] = field(default_factory=list)

    async def take(self, step: Step) -> None:
        name, value = step
        await getattr(self, f"_{name}")(value)

    async def _say(self, who: tuple[str, str]) -> None:
        group, member = who
        await self.rig.say_all("你好", group=group, member=member)

    async def _place(self, wanted: tuple[set[str], set[str], Any, Any]) -> None:
        groups, members, since, until = wanted
        order = HoldOrder(tuple(sorted(groups)), tuple(sorted(members)), since, until, "案件")
        self.open.append(await self.rig.run(lambda work: place_hold(work, order, "anna")))

    async def _lift(self, number: int) -> None:
        if self.open:
            hold = self.open.pop(number % len(self.open))
            await self.rig.run(lambda work: lift_hold(work, hold.id, "已结", "anna"))

    async def _keep(self, days: int) -> None:
        self.days = days
        await keep(self.rig, days)

    async def _wait(self, seconds: int) -> None:
        await self.rig.keeper.refresh()
        await self.rig.run_due(timedelta(seconds=seconds))

    async def _task(self, _: None) -> None:
        await self.rig.run_task()

    async def check(self) -> None:
        """After a while, everything is as it ought to be."""
        await self._wait(240)
        for document in await archived(self.rig):
            covered = any(
                (not hold.groups or document["group_id"] in hold.groups)
                and hold.covers(document["member_id"], document["sent_at"])
                for hold in self.open
            )
            expected = None if covered else first_day_without(document["archived_at"], self.days)
            assert document.get("expires_on") == expected


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=3, max_size=25))
async def test_a_message_under_any_hold_never_has_an_expiry(rig: ModerationRig, steps: Sequence[Step]) -> None:
    await rig.start_over(MONDAY)
    rig.follows_actions = True
    await rig.keeper.refresh()
    model = Model(rig)
    note(repr(steps))
    for step in steps:
        await model.take(step)
    await model.check()
