"""The composition root: connections, slices, and on one screen which event, timer and request goes where."""

import asyncio
from collections.abc import Mapping, Sequence

from huiqun.contracts.channel import (
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionUnsupported,
    GroupCreated,
    GroupDismissed,
    GroupUpdated,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
)
from huiqun.runtime.parts import Part, run_parts
from huiqun.runtime.service import Api, Connections, Interface, connections
from huiqun.store import Index
from huiqun.stream import BatchConsumer, ConsumerOptions, Relay, Route
from huiqun.timers import TimerHandler
from huiqun.timers.runner import TimerRunner
from moderation.archive import store as archive
from moderation.enforcement import handlers as enforcement
from moderation.enforcement import store as actions
from moderation.lexicon import store as lexicon
from moderation.lexicon.handlers import import_shipped
from moderation.policies import handlers as policies
from moderation.policies import store as policy_store
from moderation.rulebook.handlers import RulebookKeeper
from moderation.screening.handlers import Screening
from moderation.settings import Settings
from moderation.standing import store as standings

SERVICE = "moderation"
DESCRIPTION = "Group rules, screening, sanctions and review."
INDEXES: Mapping[str, Sequence[Index]] = {
    **archive.INDEXES,
    **actions.INDEXES,
    **lexicon.INDEXES,
    **policy_store.INDEXES,
    **standings.INDEXES,
}


def routes(screening: Screening) -> tuple[Route, ...]:
    """Which events go to which use case; groups before messages, so that a new group's settings are known."""
    return (
        Route((GroupCreated, GroupUpdated, GroupDismissed), policies.record_groups),
        Route((MessageReceived, MessageEdited), screening.screen),
        Route((MessageRecalled,), screening.recall),
        Route(
            (ActionCompleted, ActionFailed, ActionUnsupported, ActionAssigned, ActionExpired),
            enforcement.record_receipts,
        ),
    )


TIMERS: Mapping[str, TimerHandler] = {enforcement.MUTE_ENDS: enforcement.end_mute}


async def run(settings: Settings, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run the roles until stopped."""
    async with connections(SERVICE, settings, INDEXES) as connected:
        await import_shipped(connected.database, connected.transactor)
        keeper = RulebookKeeper(connected.database)
        await keeper.refresh()
        await run_parts(parts(settings, roles, connected, keeper), stop)


def parts(settings: Settings, roles: frozenset[str], connected: Connections, keeper: RulebookKeeper) -> list[Part]:
    """The loops of the roles."""
    transactor = connected.transactor
    running: list[Part] = []
    if "streams" in roles:
        consumer = BatchConsumer(
            SERVICE,
            routes(Screening(keeper.current)),
            transactor,
            settings.kafka,
            ConsumerOptions(max_batch=settings.max_batch),
        )
        running += [consumer, keeper, Relay(transactor)]
    if "timers" in roles:
        running.append(TimerRunner(transactor, TIMERS))
    interface = Interface(service=SERVICE, description=DESCRIPTION)
    return [*running, Api(interface, settings, connected, running)]
