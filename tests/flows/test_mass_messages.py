"""Mass messages through a channel whose staff confirm them: W4 and W5 of the cases."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from huiqun.channel.actions.following import follow_up_task_kind
from huiqun.channel.actions.handlers import FOLLOW_UP, RECEIPT_EVENTS, record_receipts, request_actions
from huiqun.channel.actions.model import FollowedAction
from huiqun.channel.actions.store import ACTION_INDEXES, find_action
from huiqun.channel.directory.fold import GROUP_EVENTS, GroupEvent
from huiqun.channel.directory.store import DIRECTORY_INDEXES, find_group
from huiqun.contracts.channel import (
    Action,
    ActionKind,
    ActionPurpose,
    Capabilities,
    Group,
    GroupCreated,
    Support,
)
from huiqun.kafka import KafkaOptions
from huiqun.kafka.publisher import event_record
from huiqun.stream import Route
from huiqun.testing.clock import ManualClock
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from local.channel import Channel

BATCH = "batch-1"


async def lead_of(_work: Work, _action: Action) -> str | None:
    return "lead"


@dataclass(frozen=True)
class MassMessage:
    """A service that has one action of a mass message for each group, and the channel that it asks."""

    rig: Rig
    channel: Channel

    async def send(self, *group_ids: str, deadline: datetime | None = None) -> None:
        """Ask for a message in each group; the action's id is the group's."""
        actions = [
            Action(
                action_id=group_id,
                group_id=group_id,
                kind=ActionKind.SEND_MESSAGE,
                content="本周六社区讲座，欢迎参加",
                purpose=ActionPurpose.PROMOTION,
                batch_id=BATCH,
                deadline=deadline,
                requested_by="engagement",
            )
            for group_id in group_ids
        ]
        await self.rig.run(lambda work: request_actions(work, *actions))

    async def part(self, group_id: str) -> FollowedAction:
        """What has become of the message in a group."""
        found = await find_action(self.rig.reader, group_id)
        assert found is not None
        return found

    async def until(self, group_id: str, *outcome: str | None) -> None:
        """Wait until a group's message has this state, stage and code, as many as are given."""

        async def is_so() -> bool:
            part = await self.part(group_id)
            return (part.state, part.stage, part.code)[: len(outcome)] == outcome

        await eventually(is_so)

    def told(self, person: str) -> list[str]:
        """What a person was told by messages to staff."""
        asked = self.channel.transcript.asked.values()
        return [each.content for each in asked if each.kind is ActionKind.NOTIFY_STAFF and each.assignee == person]

    async def pass_time(self, until: datetime) -> None:
        """Put the service's clock forward; what is due is done at its time."""
        await self.rig.run_due(until)


@asynccontextmanager
async def open_mass_message(
    kafka: KafkaOptions, mongo_url: str, database_name: str, clock: ManualClock, owners: dict[str, str]
) -> AsyncIterator[MassMessage]:
    """Groups by id with their owners, who confirm what is sent in their name."""
    indexes = {**DIRECTORY_INDEXES, **ACTION_INDEXES}
    async with Rig.open(mongo_url, database_name, indexes, clock=clock, kafka=kafka) as rig:
        rig.wire(task_kinds={FOLLOW_UP: follow_up_task_kind(lead_of)})
        channel = Channel(kafka, staff_seconds=0.01)
        acting = asyncio.create_task(channel.run())

        async def record_groups(work: Work, events: Sequence[GroupEvent]) -> None:
            await rig.directory.record_events(work, events)

        routes = Route(GROUP_EVENTS, record_groups), Route(RECEIPT_EVENTS, record_receipts)
        async with running_component(rig.consumer(*routes)):
            for group_id, owner in owners.items():
                capabilities = Capabilities(send=Support.STAFF_TASK)
                group = Group(group_id=group_id, name=f"{owner}的群", owner=owner, capabilities=capabilities)
                event = GroupCreated.create(group_id, group, time=clock.now(), source="wecom/corp")
                await channel.deliver(event_record(event), event, event.time)
            await eventually(lambda: knows_all(rig, owners))
            yield MassMessage(rig, channel)
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)


async def knows_all(rig: Rig, group_ids: Collection[str]) -> bool:
    return None not in [await find_group(rig.reader, group_id) for group_id in group_ids]


async def test_w4_each_part_of_a_mass_message_ends_as_its_sender_confirms_it(
    kafka_options: KafkaOptions, mongo_url: str, database_name: str
) -> None:
    clock = ManualClock()
    start = clock.now()
    owners = {"g1": "prompt", "g2": "slow", "g3": "never"}
    async with open_mass_message(kafka_options, mongo_url, database_name, clock, owners) as mass:
        await mass.send(*owners, deadline=start + timedelta(hours=48))
        for group_id in owners:
            await mass.until(group_id, "assigned")
        await mass.channel.confirm_mass_message(BATCH, "prompt")
        await mass.until("g1", "completed", "delivered")
        await mass.pass_time(start + timedelta(hours=26))
        await eventually(lambda: len(mass.told("slow")) == 2)
        assert all(text.startswith("提醒：") and "【slow的群】" in text for text in mass.told("slow"))
        await mass.channel.confirm_mass_message(BATCH, "slow")
        await mass.until("g2", "completed", "delivered")
        await mass.pass_time(start + timedelta(hours=49))
        await mass.until("g3", "expired")
        await eventually(lambda: len(mass.told("lead")) == 1)
        assert (len(mass.told("prompt")), len(mass.told("slow"))) == (0, 2)
        assert mass.channel.transcript.outcomes["g3"] == "assigned"


async def test_w5_a_capped_group_gets_no_more_today_and_its_message_tomorrow(
    kafka_options: KafkaOptions, mongo_url: str, database_name: str
) -> None:
    noon = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # in Shanghai
    owners = {"g1": "boss", "g2": "boss"}
    async with open_mass_message(kafka_options, mongo_url, database_name, ManualClock(noon), owners) as mass:
        mass.channel.capped.add("g1")
        await mass.send(*owners)
        for group_id in owners:
            await mass.until(group_id, "assigned")
        await mass.channel.confirm_mass_message(BATCH, "boss")
        await mass.until("g1", "requested", None, "cap")
        await mass.until("g2", "completed", "delivered")
        mass.channel.capped.clear()
        await mass.pass_time(noon + timedelta(hours=12))
        assert (await mass.part("g1")).retries == 0, "midnight has come, and nothing was tried again"
        assert mass.channel.transcript.outcomes["g1"] == "failed"
        await mass.pass_time(noon + timedelta(hours=21))
        await mass.until("g1", "completed", "delivered")
        assert mass.told("boss") == []
