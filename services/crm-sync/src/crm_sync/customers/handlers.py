"""Keep a record of each customer up to date with who comes, writes and goes. Staff and bots are no customers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_sync.customers import store
from crm_sync.customers.model import IdentityGraph, parse_external_ids
from crm_sync.metrics import STUBS
from huiqun.channel.directory.fold import DirectorySnapshot, GroupEvent, RosterEvent, without_placeholders
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.channel import GroupListed, MemberJoined, MemberLeft, Role
from huiqun.contracts.moderation import MessageScreened
from huiqun.privacy.names import PlatformId
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.runtime.placeholders import is_placeholder
from huiqun.work import Work


@dataclass(frozen=True, slots=True)
class _Said:
    """What the channel says of an account: its external ids, when it came if it did, whether it is a customer's."""

    channel: str
    member_id: str
    external_ids: Mapping[str, PlatformId]
    at: datetime
    came_at: datetime | None
    confirms: bool


class Customers:
    """The use cases of customers, over the directory of groups and members."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def record_groups(self, work: Work, events: Sequence[GroupEvent]) -> None:
        """Keep the latest word on each group."""
        await self._directory.record_events(work, events)

    async def record_members(self, work: Work, events: Sequence[RosterEvent]) -> None:
        """Note who came under which ids and name, and who left; ids that come together are one customer's."""
        named = without_placeholders(events)
        STUBS.labels(change="passed_over").inc(_number_of(events) - _number_of(named))
        changes = await self._directory.record_events(work, named)
        said = list(_said_of_customers(named, changes.directory))
        graph = await store.load_identity_graph(work, [(each.channel, each.member_id) for each in said])
        for each in said:
            member = graph.member(each.channel, each.member_id)
            ids = {kind: value.reveal() for kind, value in each.external_ids.items()}
            graph.add_claims(member, parse_external_ids(each.channel, ids), each.at)
            if each.came_at is not None:
                member.record_presence(each.came_at)
            member.confirmed = member.confirmed or each.confirms
        await _save(work, graph)

    async def record_messages(self, work: Work, events: Sequence[MessageScreened]) -> None:
        """Note which customers wrote, and where; what they wrote is not kept here."""
        named = [event for event in events if not is_placeholder(event.data.member_id)]
        STUBS.labels(change="passed_over").inc(len(events) - len(named))
        directory = await self._directory.record_senders(work, named)
        of_customers = [
            event
            for event in named
            if event.data.role is Role.CUSTOMER
            and not directory.member(event.data.group_id, event.data.member_id).is_suppressed_at(event.written_at)
        ]
        graph = await store.load_identity_graph(
            work, [(event.data.channel, event.data.member_id) for event in of_customers]
        )
        for event in of_customers:
            member = graph.member(event.data.channel, event.data.member_id)
            member.record_presence(event.written_at)
            member.confirmed = True
        await _save(work, graph)


def _said_of_customers(events: Sequence[RosterEvent], directory: DirectorySnapshot) -> Iterator[_Said]:
    """A departure names no role that could be relied on, so it does not say whose the account is.

    Of who was erased nothing is said before they come anew.
    """

    def is_erased(group_id: str, member_id: str, at: datetime) -> bool:
        return directory.member(group_id, member_id).is_suppressed_at(at)

    for event in events:
        if isinstance(event, GroupListed):
            at = truncate_to_milliseconds(event.data.as_of)
            for each in event.data.members:
                if each.role is Role.CUSTOMER and not is_erased(event.data.group_id, each.member_id, at):
                    yield _Said(event.source, each.member_id, each.external_ids, at, None, confirms=True)
        elif event.data.role is Role.CUSTOMER:
            at, confirms = truncate_to_milliseconds(event.time), not isinstance(event, MemberLeft)
            came_at = at if isinstance(event, MemberJoined) else None
            data = event.data
            if not is_erased(data.group_id, data.member_id, at):
                yield _Said(event.source, data.member_id, data.external_ids, at, came_at, confirms)


def _number_of(events: Sequence[RosterEvent]) -> int:
    return sum(len(event.data.members) if isinstance(event, GroupListed) else 1 for event in events)


async def _save(work: Work, graph: IdentityGraph) -> None:
    if graph.unsettled:
        await store.load_concerned(work, graph)
        graph.resolve_identities()
    await store.save_identity_graph(work, graph)
    STUBS.labels(change="created").inc(graph.created)
    STUBS.labels(change="moved").inc(graph.moved)
    STUBS.labels(change="discredited").inc(graph.discredited)
