"""Whatever people do in whatever order: modes come and go with who holds them, and drills touch nothing."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from huiqun.contracts.moderation import GroupMode
from moderation.app import INDEXES
from moderation.incidents.handlers import incidents, modes
from moderation.incidents.handlers.incidents import Closing, Done
from moderation.incidents.handlers.modes import HeldByIncidentError, Wish
from moderation.incidents.model.incident import (
    IncidentClosedError,
    NotContainedError,
    NotOpenError,
    Opening,
    Review,
    State,
    StepDoneError,
)
from moderation.incidents.model.plans import Plan
from moderation.incidents.shipped import shipped_plans
from tests.moderation.incidents.scene import MODERATOR, asked, mode_of
from tests.moderation.rig import ModerationRig
from tests.servers import new_database_name

GROUPS = ("g1", "g2")
ORDER = list(GroupMode)
MODES = st.sampled_from(GroupMode)
MINUTES = st.integers(1, 120)


@dataclass
class Known:
    """What the test knows of an incident."""

    id: str
    plan: Plan
    groups: tuple[str, ...]
    drill: bool
    done: set[str]
    state: State = State.OPEN


class Incidents(RuleBasedStateMachine):
    """People open incidents and drills, work on them and set modes by hand, while time passes."""

    runner: asyncio.Runner
    rig: ModerationRig
    opened: Bundle[Known] = Bundle("opened")

    @initialize()
    def begin(self) -> None:
        self.run(self.rig.start_over())
        self.rig.follows_actions = True
        self.known: list[Known] = []
        # Who wishes which mode of a group until when: the incident's id, or "" for a person's hand.
        self.wishes: dict[str, dict[str, tuple[GroupMode, datetime]]] = {group: {} for group in GROUPS}

    def run(self, awaitable: Any) -> Any:
        return self.runner.run(awaitable)

    def act(self, use_case: Any, *arguments: Any) -> Any:
        """Run a use case in a transaction."""
        return self.run(self.rig.run(lambda work: use_case(work, *arguments)))

    async def shadows(self) -> list[dict[str, Any]]:
        """What drills would have asked for."""
        return [action async for action in self.rig.database["actions"].find({"state": "shadow"})]

    def wish(self, known: Known, mode: GroupMode, minutes: int) -> None:
        """What asking a mode for an incident should come to."""
        for group in () if known.drill else known.groups:
            self.wishes[group].pop(known.id, None)
            if mode is not GroupMode.NORMAL:
                self.wishes[group][known.id] = (mode, self.rig.clock.moment + timedelta(minutes=minutes))

    def expected(self, group: str) -> GroupMode:
        lasting = [mode for mode, until in self.wishes[group].values() if until > self.rig.clock.moment]
        return max(lasting, key=ORDER.index, default=GroupMode.NORMAL)

    @rule(
        target=opened,
        kind=st.sampled_from(sorted(shipped_plans())),
        groups=st.sets(st.sampled_from(GROUPS), min_size=1),
        drill=st.booleans(),
    )
    def open(self, kind: str, groups: set[str], drill: bool) -> Known:
        opening = Opening(kind, tuple(sorted(groups)), drill=drill)
        incident = self.act(incidents.open_incident, opening, MODERATOR)
        known = Known(incident.id, incident.plan, incident.groups, drill, set())
        self.known.append(known)
        self.wish(known, known.plan.mode, known.plan.mode_minutes)
        return known

    @rule(known=opened, number=st.integers(0, 5))
    def do_step(self, known: Known, number: int) -> None:
        step = known.plan.steps[number]
        if known.state is State.CLOSED:
            with pytest.raises(IncidentClosedError):
                self.act(incidents.complete_step, known.id, Done(step.key), MODERATOR)
        elif step.key in known.done:
            with pytest.raises(StepDoneError):
                self.act(incidents.complete_step, known.id, Done(step.key), MODERATOR)
        else:
            self.act(incidents.complete_step, known.id, Done(step.key), MODERATOR)
            known.done.add(step.key)
            if step.mode is not None:
                self.wish(known, step.mode, known.plan.mode_minutes)

    @rule(known=opened, mode=MODES, minutes=MINUTES)
    def set_mode(self, known: Known, mode: GroupMode, minutes: int) -> None:
        if known.state is State.CLOSED:
            with pytest.raises(IncidentClosedError):
                self.act(incidents.set_mode, known.id, mode, minutes, MODERATOR)
        else:
            self.act(incidents.set_mode, known.id, mode, minutes, MODERATOR)
            self.wish(known, mode, minutes)

    @rule(known=opened)
    def contain(self, known: Known) -> None:
        if known.state is State.OPEN:
            self.act(incidents.contain, known.id, _any, MODERATOR)
            known.state = State.CONTAINED
        else:
            with pytest.raises(NotOpenError):
                self.act(incidents.contain, known.id, _any, MODERATOR)

    @rule(known=opened)
    def close(self, known: Known) -> None:
        closing = Closing(Review("x", "x", ""))
        if known.state is State.CONTAINED:
            self.act(incidents.close, known.id, closing, _any, MODERATOR)
            known.state = State.CLOSED
            self.wish(known, GroupMode.NORMAL, 0)
        else:
            with pytest.raises(NotContainedError if known.state is State.OPEN else IncidentClosedError):
                self.act(incidents.close, known.id, closing, _any, MODERATOR)

    @rule(known=opened)
    def finish(self, known: Known) -> None:
        if known.state is State.OPEN:
            self.contain(known)
        self.close(known)

    @rule(group=st.sampled_from(GROUPS), mode=MODES, minutes=MINUTES)
    def set_by_hand(self, group: str, mode: GroupMode, minutes: int) -> None:
        now, wishes = self.rig.clock.moment, self.wishes[group]
        wish = Wish(group, mode, minutes, "x")
        if any(ORDER.index(held) > ORDER.index(mode) and until > now for by, (held, until) in wishes.items() if by):
            with pytest.raises(HeldByIncidentError):
                self.act(modes.set_by_hand, wish, _any, MODERATOR)
            return
        self.act(modes.set_by_hand, wish, _any, MODERATOR)
        wishes.pop("", None)
        if mode is not GroupMode.NORMAL:
            wishes[""] = (mode, now + timedelta(minutes=minutes))

    @rule(minutes=st.integers(1, 300))
    def let_time_pass(self, minutes: int) -> None:
        self.run(self.rig.run_due(timedelta(minutes=minutes)))

    @invariant()
    def groups_are_in_the_severest_mode_that_somebody_wishes(self) -> None:
        for group in GROUPS:
            assert self.run(mode_of(self.rig, group)) == self.expected(group)

    @invariant()
    def nothing_that_a_drill_asks_leaves(self) -> None:
        drills = {known.id for known in self.known if known.drill}
        assert not [action for action in self.rig.actions() if action.reason.rpartition("/")[2] in drills]
        real = {known.id for known in self.known if not known.drill}
        shadows = self.run(self.shadows())
        assert not [shadow for shadow in shadows if shadow["reason"].rpartition("/")[2] in real]
        assert len(drills) <= len(shadows)

    @invariant()
    def members_have_been_told_of_the_mode_they_are_in(self) -> None:
        for group in GROUPS:
            texts = [action.content for action in asked(self.rig, group) if action.kind == "send_message"]
            changes = [text for text in texts if any(word in text for word in _WORDS.values())]
            told = changes[-1] if changes else _WORDS[GroupMode.NORMAL]
            assert _WORDS[self.expected(group)] in told


_WORDS = {GroupMode.NORMAL: "恢复正常发言", GroupMode.QUIET: "安静模式", GroupMode.LOCKDOWN: "暂停成员发言"}


def _any(_revision: int) -> None:
    """Whatever was seen."""


def test_modes_follow_who_holds_them_and_drills_touch_nothing(mongo_url: str) -> None:
    opening = ModerationRig.open(
        mongo_url, new_database_name(), INDEXES
    )  # in the loop of the machine, which is no test's
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        Incidents.runner, Incidents.rig = runner, runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                Incidents,
                settings=settings(
                    max_examples=16, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
