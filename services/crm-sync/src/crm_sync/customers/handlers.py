"""Keep a record of each customer up to date with who comes, writes and goes. Staff and bots are no customers."""

from collections.abc import Mapping, Sequence

from crm_sync.customers import store
from crm_sync.customers.model import Directory, IdKind, ids_of
from crm_sync.metrics import STUBS
from huiqun.contracts.channel import MemberJoined, MemberLeft, MemberUpdated, Role
from huiqun.contracts.moderation import MessageScreened
from huiqun.privacy.names import PlatformId
from huiqun.runtime.clock import whole_milliseconds
from huiqun.stream import Work


async def record_members(events: Sequence[MemberJoined | MemberUpdated | MemberLeft], work: Work) -> None:
    """Note who came under which ids and name, and who left; ids that come together are one customer's."""
    members = [event for event in events if event.data.role is Role.CUSTOMER]
    ids = [ids_of(event.data.member_id, _revealed(event.data.external_ids)) for event in members]
    directory = await store.load(work, (known for each in ids for known in each))
    for event, own in zip(members, ids, strict=True):
        at = whole_milliseconds(event.time)
        customer = directory.customer(own)
        customer.take_name(event.data.display_name.reveal(), at)
        membership = customer.membership(event.data.group_id, event.data.member_id)
        match event:
            case MemberLeft():
                membership.move(at, present=False)
            case MemberJoined():
                membership.move(at, present=True)
                customer.see(at)
                customer.confirmed = True
            case MemberUpdated():
                customer.confirmed = True
    await _save(work, directory)


async def record_messages(events: Sequence[MessageScreened], work: Work) -> None:
    """Note which customers wrote, and where; what they wrote is not kept here."""
    messages = [event for event in events if event.data.role is Role.CUSTOMER]
    directory = await store.load(work, (event.data.member_id for event in messages))
    for event in messages:
        customer = directory.customer({event.data.member_id: IdKind.MEMBER_ID})
        customer.membership(event.data.group_id, event.data.member_id)
        customer.see(event.written_at)
        customer.confirmed = True
    await _save(work, directory)


def _revealed(external_ids: Mapping[str, PlatformId]) -> dict[str, str]:
    """The ids as customers are found by; the store of customers is where they stay."""
    return {kind: value.reveal() for kind, value in external_ids.items()}


async def _save(work: Work, directory: Directory) -> None:
    await store.save(work, directory)
    STUBS.labels(change="created").inc(directory.created)
    STUBS.labels(change="merged").inc(directory.merged)
