"""Keep a record of each customer up to date with who comes, writes and goes. Staff and bots are no customers."""

from collections.abc import Mapping, Sequence

from crm_sync.customers import store
from crm_sync.customers.model import Directory, external_ids
from crm_sync.metrics import STUBS
from huiqun.contracts.channel import MemberJoined, MemberLeft, MemberUpdated, Role
from huiqun.contracts.moderation import MessageScreened
from huiqun.privacy.names import PlatformId
from huiqun.runtime.clock import whole_milliseconds
from huiqun.runtime.placeholders import is_placeholder
from huiqun.work import Work

_Heard = MemberJoined | MemberUpdated | MemberLeft | MessageScreened


async def record_members(events: Sequence[MemberJoined | MemberUpdated | MemberLeft], work: Work) -> None:
    """Note who came under which ids and name, and who left; ids that come together are one customer's."""
    members = [event for event in events if _is_customer(event)]
    directory = await store.load(work, [(event.source, event.data.member_id) for event in members])
    for event in members:
        at = whole_milliseconds(event.time)
        member = directory.member(event.source, event.data.member_id)
        member.take_name(event.data.display_name.reveal(), at)
        directory.learn(member, external_ids(event.source, _revealed(event.data.external_ids)), at)
        membership = member.membership(event.data.group_id)
        match event:
            case MemberLeft():
                membership.move(at, present=False)
            case MemberJoined():
                membership.move(at, present=True)
                member.see(at)
                member.confirmed = True
            case MemberUpdated():
                member.confirmed = True
    await _save(work, directory)


async def record_messages(events: Sequence[MessageScreened], work: Work) -> None:
    """Note which customers wrote, and where; what they wrote is not kept here."""
    messages = [event for event in events if _is_customer(event)]
    directory = await store.load(work, [(event.data.channel, event.data.member_id) for event in messages])
    for event in messages:
        member = directory.member(event.data.channel, event.data.member_id)
        member.membership(event.data.group_id)
        member.see(event.written_at)
        member.confirmed = True
    await _save(work, directory)


def _revealed(sealed: Mapping[str, PlatformId]) -> dict[str, str]:
    """The ids as customers are found by; the store of customers is where they stay."""
    return {kind: value.reveal() for kind, value in sealed.items()}


def _is_customer(event: _Heard) -> bool:
    """Whether the event is about a customer. A placeholder for a member id is about nobody who could be told apart."""
    if event.data.role is not Role.CUSTOMER:
        return False
    if is_placeholder(event.data.member_id):
        STUBS.labels(change="passed_over").inc()
        return False
    return True


async def _save(work: Work, directory: Directory) -> None:
    if directory.unsettled:
        await store.gather(work, directory)
        directory.settle()
    await store.save(work, directory)
    STUBS.labels(change="created").inc(directory.created)
    STUBS.labels(change="moved").inc(directory.moved)
    STUBS.labels(change="discredited").inc(directory.discredited)
